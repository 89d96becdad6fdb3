import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { benchWithModel, noFlags, splitNow } from "../../../test/support/release-bench.ts";
import {
  intercepting,
  json,
  type TestBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import { traefik } from "../../component/routers/traefik.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { objectPath } from "../../core/object-kind.ts";
import { modelStatus } from "../commands/status.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import type { ProbeRequest } from "../proof/probe-request.ts";
import { plannedSteps } from "./describe.ts";
import { type MigrateOptions, migrate } from "./migrate.ts";
import { prepareMigration } from "./prepare.ts";
import { takeBack } from "./take-back.ts";

const otherController = "http://192.0.2.2";
const sameController = "http://192.0.2.1";

const configOf = (endpoint: string, changes: Partial<ResolvedConfig> = {}) =>
  testConfig({ router: "traefik", endpoints: [endpoint], ...changes });

const options: MigrateOptions = { agree: () => Promise.resolve(true) };
const moved: MigrateOptions = { ...options, clients: { kind: "said" } };

let bench: TestBench;

const pathOf = (router: typeof nginx | typeof traefik, index: number) => {
  const ref = router.refs("fraud")[index];
  return ref === undefined ? "" : objectPath(testNamespace, ref);
};
const objectsOf = (router: typeof nginx | typeof traefik) =>
  router.refs("fraud").flatMap((ref) => bench.cluster.get(objectPath(testNamespace, ref)) ?? []);

/** What is there of both routers. */
const made = () => ({ nginx: objectsOf(nginx as never).length, traefik: objectsOf(traefik).length });

/** What Traefik's other provider answers: by the hosts in its rules. */
function byIngressRoute({ host, headers }: ProbeRequest) {
  const route = bench.cluster.get(pathOf(traefik, 0));
  const isMeant = JSON.stringify(route?.spec ?? {}).includes(`Host(\`${host}\`)`);
  const routing = traefik.read("fraud", objectsOf(traefik) as never);
  if (!isMeant || routing === undefined) return undefined;
  const forced = headers["X-Modelswitch-Preview"];
  return { status: 200, body: `version of ${forced ?? routing.main}` };
}

beforeEach(async () => {
  bench = await benchWithModel();
  const notFound = { status: 404, body: "" };
  const isNginx = (host: string) => host === "fraud.test" && objectsOf(nginx as never).length > 0;
  bench.ask = (request) => {
    if (request.endpoint.address === "192.0.2.2") return byIngressRoute(request) ?? notFound;
    // One controller with two providers: the old one wins as long as it is there.
    return isNginx(request.host) ? undefined : (byIngressRoute(request) ?? notFound);
  };
  bench.cluster.intercept = intercepting(bench, ({ path, method }) => {
    if (path === "/apis/traefik.io/v1alpha1")
      return json(200, { resources: [{ name: "ingressroutes" }, { name: "traefikservices" }] });
    const isList = method === "GET" && /\/(ingressroutes|ingresses)$/.test(path);
    return isList ? json(200, { items: [] }) : undefined;
  });
});

describe("to another controller", () => {
  const config = configOf(otherController);

  test("both serve until clients have moved, then the old objects go", async () => {
    const context = bench.context(config);
    expect(await migrate(context, options)).toMatchObject({ state: "both", proof: { host: "fraud.test" } });
    expect(made()).toEqual({ nginx: 2, traefik: 2 });
    expect(await modelStatus(context)).toMatchObject({
      router: "nginx",
      endpoints: ["192.0.2.1"],
      migration: { from: "nginx", to: "traefik", stage: "clients" },
      pending: expect.stringContaining("both serve"),
    });
    expect(await migrate(context, moved)).toMatchObject({ state: "moved", idle: { kind: "said" } });
    expect(made()).toEqual({ nginx: 0, traefik: 2 });
    expect(await modelStatus(context)).toMatchObject({ router: "traefik", migration: undefined });
    expect(await migrate(context, options)).toMatchObject({ state: "there" });
    // The configuration is what was moved to: there is nothing left for `up`.
    const before = bench.stack.operations.length;
    await up(context, noFlags);
    expect(bench.stack.operations.slice(before).map(({ name }) => name)).not.toContain("destroy");
    expect(made()).toEqual({ nginx: 0, traefik: 2 });
  });

  test("is planned without anything being written", async () => {
    const before = JSON.stringify(
      bench.cluster.get(`/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`),
    );
    const prepared = await prepareMigration(bench.context(config), {});
    if (!("migration" in prepared)) throw new Error("a move was expected");
    expect(plannedSteps(prepared).map(({ stage }) => stage)).toEqual(["beside", "clients", "removing"]);
    expect(plannedSteps(prepared)[1]?.text).toContain("point fraud.test at 192.0.2.2 (now 192.0.2.1)");
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
    expect(bench.stack.operations.filter(({ name }) => name === "up")).toEqual([]);
    expect(
      JSON.stringify(bench.cluster.get(`/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`)),
    ).toBe(before);
  });

  test("what cannot be proved is removed again, and clients have seen nothing of it", async () => {
    const ask = bench.ask;
    bench.ask = (request) =>
      request.endpoint.address === "192.0.2.2" ? { status: 502, body: "" } : ask(request);
    const error = await failureOf(migrate(bench.context(config), options));
    expect(error).toMatchObject({ code: "proof-failed", exitCode: 1 });
    expect(error.message).toContain('What was made of the router "traefik" was removed again');
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
    expect((await bench.context().store.read())?.migration).toBeUndefined();
  });

  test("nothing is released meanwhile, and `up` says what to do", async () => {
    const context = bench.context(config);
    await migrate(context, options);
    for (const work of [up(context, noFlags), switchTraffic(context, "green")]) {
      expect(await failureOf(work)).toMatchObject({ code: "migration-in-progress", exitCode: 4 });
    }
    expect(await splitNow(context)).toEqual({ blue: 100, green: 0 });
  });

  test("a way back from a bad slot moves both at once", async () => {
    const context = bench.context(config);
    await migrate(context, options);
    const ask = bench.ask;
    // Blue breaks: whoever asks it gets errors, through either controller.
    bench.ask = (request) => {
      const answer = ask(request) ?? bench.answer(request.headers["X-Modelswitch-Preview"], request.host);
      return answer.body === "version of blue" ? { status: 500, body: "" } : answer;
    };
    expect(await switchTraffic(context, "green")).toMatchObject({ target: "green" });
    expect(nginx.read("fraud", objectsOf(nginx as never) as never)?.main).toBe("green");
    expect(traefik.read("fraud", objectsOf(traefik) as never)?.main).toBe("green");
    bench.ask = ask;
    expect(await migrate(context, moved)).toMatchObject({ state: "moved" });
    expect(await splitNow(context)).toEqual({ blue: 0, green: 100 });
  });

  test("is taken back: at once while unproved, by the way back of clients once they may be there", async () => {
    const context = bench.context(config);
    await migrate(context, options);
    expect(await takeBack(context, options)).toMatchObject({ state: "both" });
    expect(await modelStatus(context)).toMatchObject({
      migration: { from: "traefik", to: "nginx", isBack: true },
    });
    expect(made()).toEqual({ nginx: 2, traefik: 2 });
    expect(await takeBack(context, moved)).toMatchObject({ state: "moved" });
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
    expect(await modelStatus(context)).toMatchObject({ router: "nginx", migration: undefined });
    expect(await failureOf(takeBack(context, options))).toMatchObject({ code: "migration-missing" });
  });

  test.each([
    ["before anything is made", "beside", 1],
    ["after it was made", "beside", 2],
    ["before the old is removed", "removing", 1],
    ["after it was removed", "removing", 2],
  ] as const)("killed %s, the next command goes on", async (_, stage, when) => {
    const context = bench.context(config);
    const kill = () => {
      throw new Error("killed");
    };
    const stop = async () => {
      const at = (await context.store.read())?.migration?.stage;
      if (at === stage) kill();
    };
    if (when === 1) bench.stack.beforeUp = stop;
    else bench.stack.afterUp = stop;
    const first = migrate(context, moved);
    await expect(first).rejects.toThrow("killed");
    bench.stack.beforeUp = undefined;
    bench.stack.afterUp = undefined;
    expect((await modelStatus(context)).migration?.stage).toBe(stage);
    expect(await migrate(context, moved)).toMatchObject({ state: "moved" });
    expect(made()).toEqual({ nginx: 0, traefik: 2 });
  });

  test("the old objects come back where clients are not answered without them", async () => {
    const context = bench.context(config);
    await migrate(context, options);
    const ask = bench.ask;
    bench.ask = (request) => (made().nginx === 0 ? { status: 503, body: "" } : ask(request));
    const error = await failureOf(migrate(context, moved));
    expect(error).toMatchObject({ code: "proof-failed" });
    expect(error.message).toContain('The objects of the router "nginx" were made again');
    expect(error.hint).toBeDefined();
    expect(made()).toEqual({ nginx: 2, traefik: 2 });
    bench.ask = ask;
    expect(await modelStatus(context)).toMatchObject({
      migration: { from: "traefik", to: "nginx", isBack: true },
    });
    expect(await takeBack(context, moved)).toMatchObject({ state: "moved" });
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
  });
});

describe("to another provider of the same controller", () => {
  const config = configOf(sameController);

  test("is proved by a host that no client uses, and nobody has to move", async () => {
    const context = bench.context(config);
    const prepared = await prepareMigration(context, {});
    if (!("migration" in prepared)) throw new Error("a move was expected");
    expect(prepared.migration.proofHost).toBe("modelswitch-proof-fraud.test");
    expect(plannedSteps(prepared).map(({ stage }) => stage)).toEqual(["trial", "beside", "removing"]);
    const hosts: string[] = [];
    bench.stack.afterUp = () => {
      const route = JSON.stringify(bench.cluster.get(pathOf(traefik, 0))?.spec ?? {});
      hosts.push(
        ["fraud.test", "modelswitch-proof-fraud.test"].filter((host) => route.includes(`\`${host}\``)).join(),
      );
    };
    expect(await migrate(context, options)).toMatchObject({ state: "moved", proof: { host: "fraud.test" } });
    expect(hosts).toEqual([
      "modelswitch-proof-fraud.test",
      "fraud.test,modelswitch-proof-fraud.test",
      "fraud.test",
    ]);
    expect(made()).toEqual({ nginx: 0, traefik: 2 });
  });

  test("a provider that does not see the objects is noticed before clients could", async () => {
    bench.ask = ({ host }) => (host === "fraud.test" ? undefined : { status: 404, body: "" });
    const error = await failureOf(migrate(bench.context(config), options));
    expect(error.code).toBe("proof-failed");
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
  });

  test("where the old address is not known, clients are waited for", async () => {
    const context = bench.context(config);
    await migrate(context, options);
    const back = testConfig({ router: "nginx" });
    // Behind the router traefik nothing in the cluster says where clients connect.
    const prepared = await prepareMigration(bench.context(back), {});
    expect(prepared).toMatchObject({ sameAddress: undefined });
    const known = await prepareMigration(bench.context(back), { fromEndpoints: [sameController] });
    expect(known).toMatchObject({ from: [{ url: "http://192.0.2.1:80" }] });
  });
});

describe("a command that dies at any boundary between its steps", () => {
  const points = ["started", "done"];
  const steps = (...ids: readonly string[]) =>
    ids.flatMap((id) => points.map((state) => [state, id] as const));
  /** Dies once where it is told, without a word of its own. */
  const dyingAt = (config: ResolvedConfig, [state, id]: readonly [string, string]) => {
    const context = bench.context(config);
    let isDead = false;
    const events: typeof context.events = (event) => {
      context.events(event);
      if (isDead || event.type !== "step" || event.id !== id || event.state !== state) return;
      isDead = true;
      throw new Error("killed");
    };
    return { ...context, events };
  };

  test.each(steps("migrate-beside", "prove-beside", "prove-clients", "migrate-removing", "prove-removing"))(
    "to another controller: %s %s",
    async (...point) => {
      const config = configOf(otherController);
      await expect(migrate(dyingAt(config, point), moved)).rejects.toThrow("killed");
      expect(await splitNow(bench.context(config))).toEqual({ blue: 100, green: 0 });
      expect(await migrate(bench.context(config), moved)).toMatchObject({ state: "moved" });
      expect(made()).toEqual({ nginx: 0, traefik: 2 });
    },
  );

  test.each(
    steps(
      "migrate-trial",
      "prove-trial",
      "migrate-beside",
      "prove-beside",
      "migrate-removing",
      "prove-removing",
    ),
  )("to another provider of the same one: %s %s", async (...point) => {
    const config = configOf(sameController);
    await expect(migrate(dyingAt(config, point), options)).rejects.toThrow("killed");
    expect(await splitNow(bench.context(config))).toEqual({ blue: 100, green: 0 });
    expect(await migrate(bench.context(config), options)).toMatchObject({ state: "moved" });
    expect(made()).toEqual({ nginx: 0, traefik: 2 });
  });

  test.each(steps("migrate-trial", "prove-trial", "migrate-beside", "prove-beside"))(
    "and is taken back instead: %s %s",
    async (...point) => {
      const config = configOf(sameController);
      await expect(migrate(dyingAt(config, point), options)).rejects.toThrow("killed");
      expect(await takeBack(bench.context(config), options)).toMatchObject({ state: "undone" });
      expect(made()).toEqual({ nginx: 2, traefik: 0 });
      expect((await modelStatus(bench.context(config))).migration).toBeUndefined();
    },
  );

  test.each(steps("migrate-undoing"))("while it is taken back: %s %s", async (...point) => {
    const config = configOf(sameController);
    await expect(migrate(dyingAt(config, ["done", "prove-trial"]), options)).rejects.toThrow("killed");
    await expect(takeBack(dyingAt(config, point), options)).rejects.toThrow("killed");
    // Whichever of the two commands comes next, what was begun last is ended.
    expect(await migrate(bench.context(config), options)).toMatchObject({ state: "undone" });
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
  });
});

describe("a move that is refused before anything is written", () => {
  const refused = async (config: ResolvedConfig, more: Parameters<typeof prepareMigration>[1] = {}) => {
    const error = await failureOf(prepareMigration(bench.context(config), more));
    expect(error.exitCode).toBe(2);
    expect(made()).toEqual({ nginx: 2, traefik: 0 });
    return error;
  };

  test("one that would change more than who serves", async () => {
    const error = await refused(configOf(otherController, { ingress: { host: "new.test" } }));
    expect(error.code).toBe("migrate-changes-more");
    expect(error.message).toContain("ingress.host: fraud.test -> new.test");
  });

  test("missing kinds, a capability in use, an unknown address, a host of others, a Gateway that is not named", async () => {
    const ingress = { host: "fraud.test", timeout: 120 };
    expect((await refused(configOf(otherController, { ingress }))).code).toBe("capability-missing");
    expect((await refused(testConfig({ router: "traefik" }))).code).toBe("address-unknown");
    expect((await refused(testConfig(), { to: "gateway-api" })).code).toBe("gateway-missing");
    const foreign = {
      kind: "IngressRoute",
      metadata: { name: "theirs", namespace: "shop" },
      spec: { routes: [{ match: "Host(`fraud.test`) && PathPrefix(`/`)" }] },
    };
    bench.cluster.intercept = intercepting(bench, ({ path, method }) =>
      method === "GET" && path.endsWith("/ingressroutes") ? json(200, { items: [foreign] }) : undefined,
    );
    expect((await refused(configOf(otherController))).code).toBe("host-taken");
    bench.cluster.intercept = intercepting(bench, ({ path }) =>
      path === "/apis/traefik.io/v1alpha1" ? json(200, { resources: [] }) : undefined,
    );
    expect((await refused(configOf(otherController))).code).toBe("router-kinds-missing");
  });

  test("what stands in front of the model is not lost without a word", async () => {
    const annotations = { "nginx.ingress.kubernetes.io/auth-url": "https://login.test/check" };
    const ingress = { host: "fraud.test", annotations };
    bench = await benchWithModel(testConfig({ ingress }));
    bench.cluster.intercept = intercepting(bench, ({ path, method }) => {
      if (path === "/apis/traefik.io/v1alpha1")
        return json(200, { resources: [{ name: "ingressroutes" }, { name: "traefikservices" }] });
      return method === "GET" && /\/(ingressroutes|ingresses)$/.test(path)
        ? json(200, { items: [] })
        : undefined;
    });
    const prepared = await prepareMigration(bench.context(configOf(otherController)), {});
    expect("notes" in prepared ? prepared.notes.map(({ code }) => code) : []).toEqual(["guards-not-carried"]);
  });
});
