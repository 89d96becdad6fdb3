import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { benchWithModel } from "../../../test/support/release-bench.ts";
import {
  denying,
  intercepting,
  json,
  putSlot,
  refusal,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import { settledOn } from "../../core/routing.ts";
import { observeDeployed } from "../context/deployed.ts";
import { switchTraffic } from "./switch.ts";

let bench: TestBench;

beforeEach(async () => {
  bench = await benchWithModel();
});

describe("a switch that is refused", () => {
  test("refuses a slot that never becomes ready, and changes nothing", async () => {
    putSlot(bench.cluster, "green", { replicas: 2, ready: 1 });
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error.code).toBe("slot-not-ready");
    expect(error.message).toContain("1 of 2 replicas ready");
    expect(bench.stack.operations).toEqual([]);
  });

  test("a slot whose endpoints are no pods is refused: its answers could not be recognised", async () => {
    putSlot(bench.cluster, "green", { replicas: 1, image: null });
    bench.cluster.remove(`/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-green`);
    bench.cluster.remove(`/api/v1/namespaces/${testNamespace}/pods/fraud-green-0`);
    bench.cluster.put(`/apis/discovery.k8s.io/v1/namespaces/${testNamespace}/endpointslices/fraud-green-x`, {
      metadata: { labels: { "kubernetes.io/service-name": "fraud-green" } },
      endpoints: [{ addresses: ["10.1.1.1"], conditions: { ready: true } }],
    });
    const config = testConfig({ runs: { form: "slots", slots: { blue: {}, green: {} } } });
    const record = await bench.context().store.read();
    if (record === undefined) throw new Error("up wrote a record");
    const releases = record.releases.map((release) => ({ ...release, spec: {} }));
    await bench.context().store.update((present) => present && { ...present, releases });
    const error = await failureOf(switchTraffic(bench.context(config), "green"));
    expect(error).toMatchObject({ code: "slots-indistinguishable", exitCode: 2 });
    expect(bench.moves).toEqual([]);
  });

  test("a second command is told who works, with exit code 4", async () => {
    bench.beats = true;
    let second: Promise<UserError> | undefined;
    bench.stack.beforeUp = async () => {
      second ??= failureOf(switchTraffic(bench.context(), "blue"));
      await second;
    };
    await switchTraffic(bench.context(), "green");
    const error = await second;
    expect(error).toMatchObject({ code: "model-locked", exitCode: 4 });
    expect(error?.message).toContain(
      "ada@laptop (process 1 on laptop) is running `modelswitch switch green`",
    );
  });

  test("a lock of Pulumi's leaves the traffic where it is, and is named", async () => {
    bench.stack.beforeUp = () => {
      throw new UserError({ code: "stack-locked", message: "bob", exitCode: 4 });
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "state-behind", exitCode: 5, details: { cause: "stack-locked" } });
    expect((await observeDeployed(bench.context())).routing).toEqual(settledOn("green"));
  });

  test("slots that answer alike are refused with ways to mend it", async () => {
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? { status: 200, headers: {}, body: "same" } : undefined;
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "slots-indistinguishable", exitCode: 2 });
    expect(error.hint).toContain("a response header");
  });

  test("without a deployment there is nothing to switch", async () => {
    bench = testBench();
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "not-deployed" });
    expect(error.hint).toContain("modelswitch up");
  });

  test("a pod that cannot be asked is no pod without an identity", async () => {
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? refusal(502, "BadGateway", "no route to the pod") : undefined;
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error.code).toBe("pod-proxy-failed");
    expect(error.hint).toContain("konnectivity");
  });

  test("who may not ask pods is told which permission that is", async () => {
    const said = `pods "fraud-green-0:8080" is forbidden: User "ada" cannot get resource "pods/proxy" in API group "" in the namespace "${testNamespace}"`;
    bench.cluster.intercept = ({ path }) =>
      path.includes("/proxy/") ? refusal(403, "Forbidden", said) : undefined;
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({
      code: "permission-denied",
      message: `The account ada may not get pods/proxy "fraud-green-0:8080" in the namespace ${testNamespace}.`,
    });
    expect(error.hint).toContain("modelswitch rbac");
  });

  test("without what Pulumi waits by, traffic leaves a slot that is bad, and no other", async () => {
    bench.cluster.intercept = intercepting(bench, denying("endpoints"));
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "permission-denied", exitCode: 2 });
    expect(error.message).toContain("may not list endpoints");
    expect(bench.stack.operations).toEqual([]);
    putSlot(bench.cluster, "blue", { replicas: 2, ready: 0 });
    expect((await switchTraffic(bench.context(), "green")).routing).toEqual(settledOn("green"));
  });

  test("permissions that are missing are said before anything is written, all at once", async () => {
    const patches = (body: unknown) => {
      const { spec } = body as { spec: { resourceAttributes: { verb: string } } };
      return spec.resourceAttributes.verb === "patch";
    };
    const before = bench.cluster.intercept;
    bench.cluster.intercept = (request) => {
      if (request.path.endsWith("/selfsubjectrulesreviews")) return json(201, { status: {} });
      if (request.path.endsWith("/selfsubjectaccessreviews"))
        return json(201, { status: { allowed: !patches(request.body) } });
      return before?.(request);
    };
    const error = await failureOf(switchTraffic(bench.context(), "green"));
    expect(error).toMatchObject({ code: "permission-denied", exitCode: 2 });
    expect(error.message).toContain('may not patch ingresses.networking.k8s.io "fraud", "fraud-canary"');
    expect(bench.stack.operations).toEqual([]);
  });
});
