import { readFile } from "node:fs/promises";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { custom } from "../../src/component/servers/custom.ts";
import { type ProcessOptions, resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { RestrictedAccount } from "./restricted-account.ts";
import { SocketLoad } from "./socket-load.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

let project: ModelProject;

const server = custom({
  readinessPath: "/v2/health/ready",
  identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },
  preStopSleepSeconds: 3,
  longestRequestSeconds: 5,
  metrics: { port: 8080, path: "/metrics" },
  draining: { gauges: ["test_server_requests_in_progress"] },
});

async function configure(rollout: { readonly drain: number }): Promise<void> {
  await project.configure({
    server,
    slots: undefined,
    release: {
      image: testImages.blue,
      replicas: 1,
      imagePullPolicy: "Never",
      resources: { requests: { cpu: "50m", memory: "32Mi" } },
      env: { TOKEN: { secret: "token", key: "value" } },
    },
    rollout: { settle: 0, soak: 0, rollbackWindow: 0, ...rollout },
  });
}

beforeAll(async () => {
  project = await ModelProject.create("care");
  await writeToken("first");
  await configure({ drain: 900 });
  await project.result(["up"]);
});

afterAll(async () => {
  await project.remove();
});

/** Somebody writes the Secret that the release refers to; returns its version. */
async function writeToken(value: string): Promise<string> {
  const { metadata } = await project.namespace.api.json<{ metadata: { resourceVersion: string } }>({
    method: "PATCH",
    path: `/api/v1/namespaces/${project.namespace.name}/secrets/token`,
    query: { fieldManager: "somebody", force: true },
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "token" }, stringData: { value } },
  });
  return metadata.resourceVersion;
}

interface EventLine {
  readonly type: string;
  readonly id?: string;
  readonly state?: string;
  readonly detail?: string;
  readonly code?: string;
}

/** Runs a command, and hands on its events as they come. */
async function watched(
  args: readonly string[],
  onEvent: (event: EventLine) => void,
  options: ProcessOptions = {},
) {
  let rest = "";
  return await project.command([...args, "--json"], {
    ...options,
    onStart: (child) => {
      child.stdout?.on("data", (text: string) => {
        const lines = `${rest}${text}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") onEvent(JSON.parse(line) as EventLine);
      });
      options.onStart?.(child);
    },
  });
}

/** Runs a command that ends only when it is stopped, as Ctrl-C does, and hands on its documents. */
function beside(args: readonly string[], onDocument: (document: object) => void) {
  let stop = () => {};
  const ended = watched(args, onDocument, { onStart: (child) => (stop = () => child.kill("SIGINT")) });
  return {
    stop: async () => {
      stop();
      return (await ended).exitCode;
    },
  };
}

describe("room for a release", () => {
  test("is known beforehand, and what does not fit is refused before anything is written", async () => {
    expect(await project.result(["plan"])).toMatchObject({
      release: { replicas: 1, requests: { cpu: 0.05, memory: 32 * 2 ** 20 }, room: "fits" },
    });
    const before = await project.result(["history"]);
    const refused = await project.command(["release", "--json", "--set", "gpus=1"]);
    expect(refused.exitCode, refused.stdout).toBe(1);
    expect(resultOf(refused.stdout)).toMatchObject({
      error: {
        code: "capacity-short",
        message: expect.stringContaining("0 of 0 nvidia.com/gpu are free on 1 node"),
      },
    });
    expect(await project.result(["history"])).toEqual(before);
  });

  test("cannot be seen by an account of the namespace, and can with the optional ClusterRole", async () => {
    const account = await RestrictedAccount.create(project.namespace, "room");
    const { api, kubeconfigPath } = project.namespace;
    const authority = /certificate-authority-data: (\S+)/.exec(await readFile(kubeconfigPath, "utf8"))?.[1];
    const kubeconfig = await account.kubeconfig(api.server, authority);
    const plan = async () => {
      const { stdout, stderr } = await project.command(["plan", "--json"], {
        env: { KUBECONFIG: kubeconfig },
      });
      return { ...resultOf(stdout), stderr };
    };
    await account.allow({ model: "fraud" });
    await account.until(true, "list", { group: "", resource: "pods" });
    expect(await plan()).toMatchObject({
      release: { room: "unknown", why: expect.stringContaining("may not") },
    });
    await account.allow({ model: "fraud", withOptional: true });
    await account.until(true, "list", { group: "", resource: "nodes", inCluster: true });
    expect(await plan()).toMatchObject({ release: { room: "fits" } });
  });
});

describe("the lock", () => {
  test("is taken from a living command only by force, which then stops; a dead one's is removed", async () => {
    const startedUntilHeld = (args: readonly string[]) => {
      let kill = () => {};
      let held = () => {};
      const isHeld = new Promise<void>((resolve) => {
        held = resolve;
      });
      const ended = watched(
        args,
        // Each command says what it waits for once it works on the rollout.
        ({ id, state }) => {
          if (id === "prove-shift" && state === "done") held();
        },
        { onStart: (child) => (kill = () => child.kill("SIGKILL")) },
      );
      return { ended, isHeld, kill: () => kill() };
    };
    const first = startedUntilHeld([
      "release",
      "--set",
      `image=${testImages.green}`,
      "--steps",
      "25%:1h, 50%:1h",
    ]);
    await Promise.race([first.isHeld, first.ended]);
    const refused = await project.command(["unlock", "--json"]);
    expect(refused).toMatchObject({ exitCode: 4 });
    expect(resultOf(refused.stdout)).toMatchObject({ error: { code: "model-locked" } });
    expect(await project.result(["unlock", "--force", "--yes"])).toMatchObject({
      found: "taken",
      holder: { command: "release" },
    });
    const { exitCode, stdout } = await first.ended;
    expect(exitCode).toBe(4);
    expect(resultOf(stdout)).toMatchObject({ error: { code: "lock-lost" } });
    expect(await project.result(["status"])).toMatchObject({ split: { blue: 75, green: 25 } });

    const second = startedUntilHeld(["resume"]);
    await until("the next command has the lock", async () => {
      const { exitCode: code } = await project.command(["unlock", "--json"]);
      return code === 4;
    });
    second.kill();
    await second.ended;
    expect(await project.result(["unlock"])).toMatchObject({
      found: "removed",
      holder: { command: "resume" },
    });
    expect(await project.result(["unlock"])).toMatchObject({ found: "free" });
    await project.result(["abort"]);
    expect(await project.result(["status"])).toMatchObject({ split: { blue: 100, green: 0 } });
  });
});

describe("draining", () => {
  test("goes on as long as the old slot answers a request, and no longer", async () => {
    const stop = new AbortController();
    // Somebody watches meanwhile, and somebody else reads what the new pods write.
    const states: string[] = [];
    const logs: string[] = [];
    const status = beside(["status", "--watch", "--interval", "0.2"], (document) => {
      const { split } = document as { split: { blue: number; green: number } };
      states.push(`${split.blue}|${split.green}`);
    });
    const log = beside(["logs", "green", "--follow"], (document) => {
      logs.push((document as { pod: string }).pod);
    });
    await until("the watch has begun", () => Promise.resolve(states.length > 0));
    let slow: Promise<number> | undefined;
    const seen: string[] = [];
    const { exitCode, stdout, stderr } = await watched(
      ["release", "--set", `image=${testImages.green}`],
      (event) => {
        // All requests still go to the old slot; the shift itself takes no time.
        if (event.id === "verify" && event.state === "started") {
          slow = request(`${process.env.MODELSWITCH_TEST_INGRESS_URL}/slow?ms=600000`, {
            headers: { host: project.host },
            headersTimeout: 0,
            signal: stop.signal,
          }).then(
            ({ statusCode }) => statusCode,
            () => 0,
          );
        }
        if (event.id !== "drain-blue") return;
        seen.push(`${event.state}: ${event.detail ?? ""}`);
        if (event.detail === "in-progress gauge of 1 pod: 1") stop.abort();
      },
    );
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    expect(seen).toContain("progress: in-progress gauge of 1 pod: 1");
    expect(seen.at(-1)).toBe("done: in-progress gauge of 1 pod: 0");
    expect(await slow).toBe(0);
    expect(await versionAt(project.host)).toBe("2");

    await until("the watch has seen the switch", () => Promise.resolve(states.at(-1) === "0|100"));
    await until("the log of a new pod was shown", () =>
      Promise.resolve(logs.some((pod) => pod.startsWith("fraud-green-"))),
    );
    expect(states[0]).toBe("100|0");
    expect(await status.stop()).toBe(0);
    expect(await log.stop()).toBe(130);
    expect(await project.result(["logs", "--tail", "5"])).toMatchObject({
      slot: "green",
      skipped: [],
      lines: expect.arrayContaining([
        expect.objectContaining({ pod: expect.stringMatching(/^fraud-green-/), container: "model" }),
      ]),
    });
  });
});

describe("a rollback to a slot whose pods have ended", () => {
  test("is refused where a Secret is another one than then, unless that is accepted and recorded", async () => {
    const now = await writeToken("second");
    const refused = await project.command(["rollback", "--json"]);
    expect(refused.exitCode, refused.stdout).toBe(1);
    expect(resultOf(refused.stdout)).toMatchObject({
      error: { code: "versions-changed", message: expect.stringContaining(`${now} now`) },
    });
    expect(await versionAt(project.host)).toBe("2");
    const accepted = ["rollback", "--accept-changed", "secret/token"];
    expect(await project.result(accepted)).toMatchObject({ outcome: "released", target: "blue" });
    expect(await versionAt(project.host)).toBe("1");
    const { releases } = await project.result(["history"]);
    expect((releases as object[]).at(-1)).toMatchObject({
      spec: { image: testImages.blue, versions: { "secret/token": now } },
    });
    expect(await project.result(["report"])).toMatchObject({
      skipped: [expect.stringContaining(`secret/token as it was (--accept-changed): version ${now}`)],
    });
  });
});

describe("draining under a WebSocket that outlasts its limit", () => {
  test("ends at the limit, says how many are left, and goes on: what is left is lost with its pod", async () => {
    await configure({ drain: 3 });
    const stop = new AbortController();
    let sockets: SocketLoad | undefined;
    const opened = () =>
      new SocketLoad({
        url: process.env.MODELSWITCH_TEST_INGRESS_URL ?? "",
        host: project.host,
        versions: ["1", "2"],
        everyMs: 1_000,
        most: 1,
        seconds: 60,
        signal: stop.signal,
      });
    try {
      const said: (EventLine & { readonly open: number | undefined })[] = [];
      const { exitCode, stdout } = await watched(
        ["release", "--set", `image=${testImages.green}`],
        (event) => {
          // It lasts a minute: the wait for pods is over, and the old slot still has the traffic.
          if (event.id === "verify") sockets ??= opened();
          if (event.id === "drain-blue" || event.code === "drain-limit")
            said.push({ ...event, open: sockets?.snapshot().open });
        },
      );
      expect(exitCode, stdout).toBe(0);
      expect(resultOf(stdout)).toMatchObject({ ended: "finished", outcome: "released" });
      const evidence = "in-progress gauge of 1 pod: 1; the limit of 3 s has passed";
      const warning = "blue still has 1 request in progress after 3 s of draining";
      // Until the limit it was left alone.
      expect(said.slice(-2)).toMatchObject([
        { type: "step", state: "done", detail: evidence, open: 1 },
        { type: "warning", message: expect.stringContaining(warning), open: 1 },
      ]);
      expect(said).toContainEqual(
        expect.objectContaining({ state: "progress", detail: "in-progress gauge of 1 pod: 1" }),
      );
      const { journal } = (await project.result(["report"])) as { journal: object[] };
      expect(journal).toContainEqual(
        expect.objectContaining({ text: "Drain blue", result: "done", evidence }),
      );
      expect(journal).toContainEqual(
        expect.objectContaining({ kind: "warning", text: expect.stringContaining(warning) }),
      );
      expect(await versionAt(project.host)).toBe("2");
      await until("the pod has ended with its WebSocket", () =>
        Promise.resolve(sockets?.snapshot().failures.length === 1),
      );
      expect(sockets?.snapshot()).toMatchObject({ whole: {}, open: 0 });
    } finally {
      stop.abort();
    }
  });
});
