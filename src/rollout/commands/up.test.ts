import { beforeEach, describe, expect, test } from "vitest";
import { leasePath } from "../../../test/support/lock-bench.ts";
import { noFlags } from "../../../test/support/release-bench.ts";
import {
  putSlot,
  refusal,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import { settledOn } from "../../core/routing.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import { describeLoss, destroyModel } from "./destroy.ts";
import { modelStatus } from "./status.ts";
import { switchTraffic } from "./switch.ts";
import { up } from "./up.ts";

let bench: TestBench;

beforeEach(() => {
  bench = testBench();
});

const operations = () => bench.stack.operations.map(({ name }) => name);

describe("up", () => {
  test("makes the model, records it, and proves that the live slot answers", async () => {
    const result = await up(bench.context(), noFlags);
    expect(result).toMatchObject({
      live: "blue",
      routing: settledOn("blue"),
      proof: { state: "proved", probes: 30 },
    });
    const record = await bench.context().store.read();
    expect(record).toMatchObject({ slots: { blue: 1, green: 2 }, applying: false });
    expect(bench.cluster.get(leasePath)).toBe(undefined);
  });

  test("a missing namespace is an error with exit code 2, and made where the user says so", async () => {
    bench.cluster.remove(`/api/v1/namespaces/${testNamespace}`);
    await expect(up(bench.context(), noFlags)).rejects.toMatchObject({
      code: "namespace-missing",
      exitCode: 2,
    });
    expect(operations()).toEqual([]);
    await up(bench.context(), { ...noFlags, createNamespace: true });
    expect(bench.cluster.get(`/api/v1/namespaces/${testNamespace}`)).toBeDefined();
  });

  test("who may not look at namespaces is not told that his does not exist", async () => {
    const before = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path === `/api/v1/namespaces/${testNamespace}` ? refusal(403, "Forbidden") : before?.(request);
    await expect(up(bench.context(), noFlags)).resolves.toMatchObject({ live: "blue" });
  });

  test("what it refuses is refused before anything is written", async () => {
    await up(bench.context(), noFlags);
    bench.stack.operations.length = 0;
    const slots = { blue: { image: "fraud:9", replicas: 2 }, green: { image: "fraud:green", replicas: 2 } };
    const config = testConfig({ runs: { form: "slots", slots } });
    const before = await bench.context().store.read();
    await expect(up(bench.context(config), noFlags)).rejects.toMatchObject({ code: "live-change-refused" });
    expect(operations()).toEqual([]);
    expect(await bench.context().store.read()).toEqual(before);
  });

  test("that changes nothing leaves no trace: nothing is recorded, and Pulumi writes nothing", async () => {
    await up(bench.context(), noFlags);
    bench.stack.operations.length = 0;
    const record = () =>
      bench.cluster.get(`/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`)?.metadata
        ?.resourceVersion;
    const before = record();
    expect(await up(bench.context(), noFlags)).toMatchObject({ changes: [], proof: { state: "proved" } });
    expect(operations()).toEqual(["preview"]);
    expect(record()).toBe(before);
  });

  test("what only Pulumi would change is recorded and done", async () => {
    await up(bench.context(), noFlags);
    bench.stack.operations.length = 0;
    bench.stack.forget();
    await up(bench.context(), noFlags);
    expect(operations()).toEqual(["preview", "up"]);
  });

  test("notes which release gets traffic for the first time", async () => {
    await up(bench.context(), noFlags);
    const record = await bench.context().store.read();
    expect(record?.releases.map(({ number, liveSince }) => [number, liveSince !== undefined])).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  test.each([
    ["with objects of others", "object-taken"],
    ["with the wrong passphrase", "passphrase-wrong"],
  ])("%s is refused before anything is written", async (_what, code) => {
    if (code === "object-taken")
      bench.cluster.put(`/api/v1/namespaces/${testNamespace}/services/fraud-blue`, {
        spec: { selector: { app: "fraud", version: "blue" } },
      });
    else bench.stack.check = () => Promise.reject(new UserError({ code, message: "wrong", exitCode: 2 }));
    await expect(up(bench.context(), { ...noFlags, createNamespace: true })).rejects.toMatchObject({
      code,
      exitCode: 2,
    });
    expect(await bench.context().store.read()).toBeUndefined();
    expect(operations()).toEqual([]);
  });

  test("traffic stays where a switch left it, also in the middle", async () => {
    await up(bench.context(), noFlags);
    // By an older version, which recorded none.
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    bench.cluster.put(path, weighing(bench.cluster.get(path), 100));
    const result = await up(bench.context(), noFlags);
    expect(result).toMatchObject({
      live: "green",
      routing: { main: "blue", candidate: "green", weight: 100 },
    });
  });

  test("looks at the cluster first when something was deleted by hand", async () => {
    await up(bench.context(), noFlags);
    bench.stack.operations.length = 0;
    bench.cluster.remove(`/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-green`);
    await up(bench.context(), noFlags);
    expect(operations()).toEqual(["refresh", "up"]);
    // Nothing else: what somebody changed of the slot that serves would be in the state then, and be put back.
    const [{ only } = {}] = bench.stack.operations;
    expect(only?.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "Deployment fraud-green",
      "PodDisruptionBudget fraud-green",
    ]);
  });

  test("looks at the cluster first when the namespace or the whole cluster was made anew", async () => {
    await up(bench.context(), noFlags);
    expect(operations()).toEqual(["up"]);
    bench.stack.operations.length = 0;
    for (const path of [
      `/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`,
      `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud`,
      `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`,
      ...["blue", "green"].flatMap((slot) => [
        `/api/v1/namespaces/${testNamespace}/services/fraud-${slot}`,
        `/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-${slot}`,
      ]),
    ]) {
      bench.cluster.remove(path);
    }
    await up(bench.context(), noFlags).catch(() => undefined);
    expect(operations()).toEqual(["refresh", "up"]);
  });

  test("an interrupted one is finished by the next", async () => {
    bench.stack.beforeUp = () => {
      throw new Error("killed");
    };
    await expect(up(bench.context(), noFlags)).rejects.toThrow("killed");
    expect(await bench.context().store.read()).toMatchObject({ applying: true });
    bench.stack.beforeUp = undefined;
    await up(bench.context(), noFlags);
    expect(await bench.context().store.read()).toMatchObject({
      slots: { blue: 1, green: 2 },
      applying: false,
    });
  });

  test("a Deployment that fails is explained by its pods", async () => {
    bench.stack.afterUp = () => {
      putSlot(bench.cluster, "blue", {
        replicas: 2,
        ready: 0,
        podStatus: {
          containerStatuses: [
            { name: "model", image: "fraud:blue", state: { waiting: { reason: "ErrImageNeverPull" } } },
          ],
        },
      });
      throw new UserError({ code: "deployment-failed", message: "Deployment fraud-blue: 4 errors occurred" });
    };
    await expect(up(bench.context(), noFlags)).rejects.toMatchObject({
      code: "slot-not-ready",
      message: expect.stringContaining("The image fraud:blue is not on the node"),
    });
  });

  test("slots that answer alike are said, and do not fail it", async () => {
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? { status: 200, headers: {}, body: "same" } : undefined;
    bench.answer = () => ({ status: 200, body: "same" });
    const result = await up(bench.context(), noFlags);
    expect(result.proof.state).toBe("proved");
    expect(result.notes).toMatchObject([{ code: "slots-indistinguishable" }]);
  });

  test("an error of somebody whom the Ingress asks is looked for there, too", async () => {
    bench.answer = () => ({ status: 500, body: "" });
    const annotations = { "nginx.ingress.kubernetes.io/auth-url": "http://auth.ml/check?key=hush" };
    const guarded = testConfig({ ingress: { host: "fraud.test", annotations } });
    await expect(up(bench.context(guarded), noFlags)).rejects.toMatchObject({
      code: "proof-failed",
      hint: expect.stringMatching(/auth-url \(asks http:\/\/auth\.ml\/check whether/),
    });
  });

  test("an ingress that does not answer fails it, with what was seen", async () => {
    bench.answer = () => ({ status: 404, body: "" });
    await expect(up(bench.context(), noFlags)).rejects.toMatchObject({
      code: "proof-failed",
      exitCode: 1,
      message: expect.stringContaining("HTTP 404 without an identity"),
    });
  });

  test("an Ingress of somebody else's with the same name is left alone", async () => {
    bench.cluster.put(`/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud`, {
      spec: { rules: [{ http: { paths: [{ backend: { service: { name: "shop" } } }] } }] },
    });
    await expect(up(bench.context(), noFlags)).rejects.toMatchObject({
      code: "routing-unreadable",
      exitCode: 2,
    });
    expect(operations()).toEqual([]);
  });

  test("without an identity it says that nothing could be proved", async () => {
    const { identity: _identity, ...server } = testConfig().server;
    const result = await up(
      bench.context(testConfig({ server: { ...server, identity: undefined } })),
      noFlags,
    );
    expect(result.proof).toMatchObject({ state: "skipped" });
    expect(result.notes).toMatchObject([{ code: "slots-indistinguishable" }]);
  });
});

describe("status", () => {
  test("is one document about the model", async () => {
    await up(bench.context(), noFlags);
    await switchTraffic(bench.context(), "green");
    const status = await modelStatus(bench.context());
    expect(status).toMatchObject({
      model: "fraud",
      namespace: "ml",
      live: "green",
      split: { blue: 0, green: 100 },
      url: "http://fraud.test/",
      endpoints: ["192.0.2.1"],
      pending: undefined,
      lastSwitch: { from: "blue", to: "green", by: "ada@laptop" },
      slots: {
        blue: { release: 1, ready: true, replicas: { ready: 2, desired: 2 }, trafficPercent: 0 },
        green: { release: 2, ready: true, trafficPercent: 100 },
      },
    });
  });

  test("shows a pod's problem with its last words", async () => {
    await up(bench.context(), noFlags);
    putSlot(bench.cluster, "green", {
      replicas: 2,
      ready: 1,
      podStatus: {
        containerStatuses: [
          {
            name: "model",
            restartCount: 3,
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { exitCode: 1 } },
          },
        ],
      },
    });
    const before = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/log") ? { status: 200, headers: {}, body: "no weights\n" } : before?.(request);
    const { slots } = await modelStatus(bench.context());
    expect(slots.green).toMatchObject({
      ready: false,
      reasons: ["1 of 2 replicas ready"],
      problems: [{ kind: "crash-loop", evidence: { logLines: ["no weights"] } }],
    });
  });

  test("says what an unfinished switch still has to do", async () => {
    await up(bench.context(), noFlags);
    // By an older version, which recorded none.
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    bench.cluster.put(path, weighing(bench.cluster.get(path), 100));
    const status = await modelStatus(bench.context());
    expect(status.live).toBe("green");
    expect(status.pending).toBe(
      "a switch to green is unfinished (commit, re-arm left); `modelswitch switch green` finishes it",
    );
  });
});

describe("destroy", () => {
  test("says what goes away and that it serves traffic, then deletes record and resources", async () => {
    await up(bench.context(), noFlags);
    const loss = await describeLoss(bench.context());
    expect(loss.question).toContain("serves live traffic for fraud.test from blue");
    expect(loss.lines[0]).toBe("blue: 2 ready replicas of fraud:blue, 100 % of the traffic");
    bench.stack.operations.length = 0;
    expect(await destroyModel(bench.context(), { removeStack: true })).toMatchObject({ recordDeleted: true });
    expect(operations()).toEqual(["destroy", "remove state"]);
    expect(await bench.context().store.read()).toBeUndefined();
  });

  test("empties the state also where the namespace is gone", async () => {
    bench.cluster.remove(`/api/v1/namespaces/${testNamespace}`);
    expect(await destroyModel(bench.context(), { removeStack: false })).toMatchObject({
      recordDeleted: false,
    });
    expect(operations()).toEqual(["destroy", "remove state"]);
  });
});

/** A canary Ingress with that weight. */
function weighing(canary: KubernetesObject | undefined, weight: number): KubernetesObject {
  const { metadata, ...rest } = canary ?? {};
  const annotations = {
    ...metadata?.annotations,
    "nginx.ingress.kubernetes.io/canary-weight": String(weight),
  };
  return { ...rest, metadata: { ...metadata, annotations } };
}
