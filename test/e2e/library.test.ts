import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../src/core/events.ts";
import { type Routing, settledOn, splitOf, stepsTo } from "../../src/core/routing.ts";
import { openStack } from "../../src/engine/open.ts";
import type { OperationResult } from "../../src/engine/stack.ts";
import { BlueGreenModel, type BlueGreenModelArgs, custom } from "../../src/index.ts";
import { modelswitch, type ProcessResult, resultOf } from "./cli-process.ts";
import { backendOf, TestNamespace, testImages, until, versionAt } from "./test-cluster.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("library");
});

afterAll(async () => {
  await namespace.remove();
});

/** A program of one's own, with the library imported by its name, as in its README. */
describe("examples/library", () => {
  const host = () => `example.${namespace.name}.example.com`;

  async function attempt(options: readonly string[]): Promise<ProcessResult> {
    const config = {
      host: host(),
      name: "fraud",
      namespace: namespace.name,
      blueImage: testImages.blue,
      greenImage: testImages.green,
    };
    const pairs = Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    return await modelswitch(
      ["run", "examples/library", "--json", "--stack", namespace.name, ...pairs, ...options],
      {
        env: namespace.env(),
      },
    );
  }

  async function run(options: readonly string[]): Promise<Pick<OperationResult, "changes" | "outputs">> {
    const result = await attempt(options);
    expect(result, result.stderr + result.stdout).toMatchObject({ exitCode: 0 });
    const last = resultOf(result.stdout);
    return (last.data ?? last) as OperationResult;
  }

  const changed = ({ changes }: Pick<OperationResult, "changes">) =>
    changes.map(({ operation, kind, name }) => `${operation} ${kind} ${name}`).sort();

  test("makes both slots and the Ingress, and says where the model is", async () => {
    const result = await run([]);
    expect(changed(result)).toEqual(
      expect.arrayContaining([
        "create Deployment fraud-blue",
        "create Deployment fraud-green",
        "create Ingress fraud",
        "create Ingress fraud-canary",
        "create Service fraud-blue",
        "create Service fraud-green",
      ]),
    );
    expect(result.outputs).toMatchObject({
      endpoint: expect.stringMatching(/\S/),
      liveSlot: "blue",
      url: `http://${host()}/`,
    });
    await until("blue answers", async () => (await versionAt(host())) === "1");
  });

  test("shows each slot to whoever sends the preview header", async () => {
    await until(
      "green answers",
      async () => (await versionAt(host(), { "x-modelswitch-preview": "always" })) === "2",
    );
    expect(await versionAt(host(), { "x-modelswitch-preview": "never" })).toBe("1");
    expect(await versionAt(host())).toBe("1");
  });

  test("changes nothing when it runs again", async () => {
    expect((await run([])).changes).toEqual([]);
  });

  test("switches by one configuration value, and touches nothing but routing", async () => {
    expect(changed(await run(["--config", "live=green"]))).toEqual([
      "update Ingress fraud",
      "update Ingress fraud-canary",
    ]);
    await until("green answers", async () => (await versionAt(host())) === "2");
    // The canary Ingress is written after the main one, and read by the controller when it is.
    await until(
      "the preview header leads to blue",
      async () => (await versionAt(host(), { "x-modelswitch-preview": "always" })) === "1",
    );
  });

  test("refuses to switch to a slot whose pods are gone, and traffic stays where it is", async () => {
    await namespace.api.json({
      method: "PATCH",
      path: `/apis/apps/v1/namespaces/${namespace.name}/deployments/fraud-blue/scale`,
      contentType: "application/merge-patch+json",
      body: { spec: { replicas: 0 } },
    });
    const result = await attempt(["--config", "live=blue"]);
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout + result.stderr).toContain("to blue: blue has 0 replicas");
    expect(backendOf(await namespace.ingress("fraud"))).toBe("fraud-green");
    expect(await versionAt(host())).toBe("2");
  });

  test("refuses to empty the slot that carries the traffic", async () => {
    const result = await attempt(["--config", "live=green", "--config", "replicas=0"]);
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout + result.stderr).toContain(
      "Refused to scale fraud-green to 0 replicas: green carries 100 %",
    );
    expect(await versionAt(host())).toBe("2");
  });

  test("leaves nothing behind", async () => {
    await run(["--destroy", "--remove", "--yes"]);
    for (const path of [
      `/api/v1/namespaces/${namespace.name}/services`,
      `/apis/apps/v1/namespaces/${namespace.name}/deployments`,
      `/apis/networking.k8s.io/v1/namespaces/${namespace.name}/ingresses`,
    ]) {
      const list = await namespace.api.json<{ items: unknown[] }>({ method: "GET", path });
      expect(list.items).toEqual([]);
    }
  });
});

describe("a switch in steps through the component", () => {
  const host = () => `steps.${namespace.name}.example.com`;
  let routing: Routing = settledOn("blue");

  const stack = () =>
    openStack({
      project: "steps",
      stack: "test",
      folder: namespace.folder,
      backendUrl: `file://${namespace.folder}`,
      secrets: { kind: "passphrase", passphrase: "only for tests" },
      kubeconfig: { path: namespace.kubeconfigPath },
      events: () => {},
      signal: AbortSignal.timeout(250_000),
      program: async () => {
        const model = new BlueGreenModel("steps", {
          namespace: namespace.name,
          server: custom({ readinessPath: "/v2/health/ready", preStopSleepSeconds: 1 }),
          slots: {
            blue: { image: testImages.blue, imagePullPolicy: "Never" },
            green: { image: testImages.green, imagePullPolicy: "Never" },
          },
          live: "green",
          routing,
          ingress: { host: host() },
        });
        return { endpoint: model.endpoint };
      },
    });

  test("writes one Ingress in each step, and traffic follows", async () => {
    await (await stack()).up();
    await until("blue answers", async () => (await versionAt(host())) === "1");
    for (const step of stepsTo("green", routing, { weights: true })) {
      routing = step.routing;
      const { changes } = await (await stack()).up();
      expect(changes.map(({ operation, kind }) => `${operation} ${kind}`)).toEqual(["update Ingress"]);
      const expected = splitOf(routing).green === 100 ? "2" : "1";
      await until(
        `version ${expected} answers after ${step.name}`,
        async () => (await versionAt(host())) === expected,
      );
    }
    expect(routing).toEqual(settledOn("green"));
  });

  test("splits traffic by per cent", async () => {
    routing = { main: "green", candidate: "blue", weight: 25 };
    await (await stack()).up();
    const answers = async () => {
      const versions: string[] = [];
      for (let request = 0; request < 80; request++) versions.push(await versionAt(host()));
      return versions.filter((version) => version === "1").length;
    };
    await until("a quarter of the answers is blue's", async () => Math.abs((await answers()) - 20) <= 12);
  });

  test("ends", async () => {
    await (await stack()).destroy({ remove: true });
  });
});

describe("the guard under a program of one's own", () => {
  const host = () => `guard.${namespace.name}.example.com`;
  const image = { image: testImages.blue, imagePullPolicy: "Never", replicas: 1 } as const;
  let name = "guard";
  let slots: Pick<BlueGreenModelArgs, "slots">["slots"] = { blue: image, green: { ...image, replicas: 0 } };
  let isDeclared = true;

  const stack = (of = "guard") =>
    openStack({
      project: "guard",
      stack: of,
      folder: namespace.folder,
      backendUrl: `file://${namespace.folder}`,
      secrets: { kind: "passphrase", passphrase: "only for tests" },
      kubeconfig: { path: namespace.kubeconfigPath },
      events: () => {},
      signal: AbortSignal.timeout(250_000),
      program: async () => {
        if (!isDeclared) return {};
        const model = new BlueGreenModel(name, {
          namespace: namespace.name,
          server: custom({ readinessPath: "/v2/health/ready", preStopSleepSeconds: 1 }),
          slots,
          live: "blue",
          ingress: { host: host() },
          guard: { path: namespace.kubeconfigPath },
        });
        return { endpoint: model.endpoint };
      },
    });
  const deployments = async () =>
    (
      await namespace.api.json<{ items: { metadata: { name: string } }[] }>({
        method: "GET",
        path: `/apis/apps/v1/namespaces/${namespace.name}/deployments`,
      })
    ).items.map(({ metadata }) => metadata.name);

  test("refuses to make the slot that gets the traffic without replicas", async () => {
    slots = { blue: { ...image, replicas: 0 }, green: image };
    await expect((await stack()).up()).rejects.toThrow("Refused to create guard-blue with 0 replicas");
    slots = { blue: image, green: { ...image, replicas: 0 } };
    await (await stack()).up();
    await until("blue answers", async () => (await versionAt(host())) === "1");
  });

  test("refuses to delete the Deployment of the slot with the traffic, and changes nothing", async () => {
    slots = { blue: {}, green: image };
    await expect((await stack()).up()).rejects.toThrow("Refused to delete the Deployment guard-blue");
    expect(await deployments()).toContain("guard-blue");
    expect(await versionAt(host())).toBe("1");
    slots = { blue: image, green: {} };
    await (await stack()).up();
    expect(await deployments()).not.toContain("guard-green");
  });

  test("refuses a new Ingress for a host that another model has", async () => {
    name = "other";
    await expect((await stack("other")).up()).rejects.toThrow(
      `the Ingress ${namespace.name}/guard (of the model "guard") has ${host()}/ (Prefix) already`,
    );
    await (await stack("other")).destroy({ remove: true });
    name = "guard";
    expect(await versionAt(host())).toBe("1");
  });

  test("lets a model go that is taken out of the program, and `destroy`", async () => {
    isDeclared = false;
    await (await stack()).up();
    expect(await deployments()).not.toContain("guard-blue");
    isDeclared = true;
    await (await stack()).up();
    await (await stack()).destroy({ remove: true });
    expect(await deployments()).not.toContain("guard-blue");
  });
});

test("while Pulumi waits for pods that can't become ready, the component says why", async () => {
  const events: Event[] = [];
  const stop = new AbortController();
  const folder = join(namespace.folder, "hopeless");
  const stack = await openStack({
    project: "hopeless",
    stack: "test",
    folder,
    backendUrl: `file://${namespace.folder}`,
    secrets: { kind: "passphrase", passphrase: "only for tests" },
    kubeconfig: { path: namespace.kubeconfigPath },
    events: (event) => events.push(event),
    signal: stop.signal,
    program: async () => {
      const slot = { image: "localhost/no-such-image:1", imagePullPolicy: "Never" } as const;
      const model = new BlueGreenModel("hopeless", {
        namespace: namespace.name,
        slots: { blue: slot, green: {} },
        live: "blue",
        ingress: { host: `hopeless.${namespace.name}.example.com` },
        guard: { path: namespace.kubeconfigPath },
      });
      return { url: model.url };
    },
  });
  const working = stack.up().catch((error: unknown) => error);
  const warnings = () => events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  await expect
    .poll(() => warnings().join("\n"), { timeout: 60_000 })
    .toMatch(
      /blue is not ready: 0 of 1 replicas ready\.\npod hopeless-blue-\S+: The image localhost\/no-such-image:1 is not on the node/,
    );
  stop.abort();
  expect(await working).toMatchObject({ code: "interrupted" });
});
