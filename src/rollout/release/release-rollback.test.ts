import { beforeEach, describe, expect, test } from "vitest";
import { benchWithModel, splitNow, templateConfig, to } from "../../../test/support/release-bench.ts";
import { putSlot, type TestBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import type { ApiRequest } from "../../kubernetes/api.ts";
import { goBack } from "../commands/meant-by.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { observeDeployed } from "../context/deployed.ts";

let bench: TestBench;

const context = (rollout?: RolloutConfig) => bench.context(templateConfig(rollout));

const split = () => splitNow(context());

/** The routings that Pulumi was run with. */
function pulumis(): string[] {
  return bench.stack.operations.map(({ desired }) => {
    const { main, candidate, weight } = desired?.routing ?? { main: "?", candidate: "?", weight: -1 };
    return `${main}|${candidate}@${weight}`;
  });
}

beforeEach(async () => {
  bench = await benchWithModel(templateConfig());
});

describe("rollback", () => {
  test("to the warm old slot is one shift, without a new deployment", async () => {
    await release(context(), to("fraud:2"));
    bench.stack.operations.length = 0;
    expect(await rollback(context())).toMatchObject({
      kind: "finished",
      state: { outcome: "released", target: "blue", release: 1 },
    });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    // All of it by the API server alone; Pulumi follows at the end.
    expect(pulumis()).toEqual(["blue|green@0"]);
  });

  test("shifts by one apply of all that Pulumi's field manager owns, and Pulumi follows", async () => {
    await release(context(), to("fraud:2"));
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    const canary = bench.cluster.get(path);
    const fieldsV1 = {
      "f:metadata": {
        "f:annotations": Object.fromEntries(
          Object.keys(canary?.metadata?.annotations ?? {}).map((key) => [`f:${key}`, {}]),
        ),
      },
      "f:spec": { "f:ingressClassName": {}, "f:rules": {} },
    };
    const managedFields = [{ manager: "pulumi-kubernetes-1", operation: "Apply", fieldsV1 }];
    bench.cluster.put(path, { ...canary, metadata: { ...canary?.metadata, managedFields } });
    bench.stack.operations.length = 0;
    const intercept = bench.cluster.intercept;
    const applied: ApiRequest[] = [];
    bench.cluster.intercept = (request) => {
      if (request.method !== "PATCH") return intercept?.(request);
      applied.push(request);
      return intercept?.(request);
    };
    await rollback(context());
    expect(applied).toHaveLength(3);
    expect(applied.slice(0, 1)).toMatchObject([
      {
        path,
        query: { fieldManager: "pulumi-kubernetes-1", force: true },
        body: {
          kind: "Ingress",
          metadata: { annotations: { "nginx.ingress.kubernetes.io/canary-weight": "100" } },
          spec: { ingressClassName: "nginx" },
        },
      },
    ]);
    expect(pulumis()).toEqual(["blue|green@0"]);
    expect(await split()).toEqual({ blue: 100, green: 0 });
  });

  test("to fewer pods than there should be: their share at once, the rest as they come or with `--now`, and says so", async () => {
    await release(context(), to("fraud:2"));
    bench.stack.afterUp = () =>
      putSlot(bench.cluster, "blue", { replicas: 2, ready: 1, image: "fraud:1", release: 1 });
    putSlot(bench.cluster, "blue", { replicas: 2, ready: 1, image: "fraud:1", release: 1 });
    await expect(rollback(context())).rejects.toMatchObject({
      code: "rollback-unfinished",
      exitCode: 5,
      hint: expect.stringContaining("modelswitch resume"),
    });
    expect(await split()).toEqual({ blue: 50, green: 50 });
    expect(await goBack(context(), { now: true })).toMatchObject({ end: { state: { outcome: "released" } } });
    expect(await split()).toEqual({ blue: 100, green: 0 });
    expect(bench.events).toContainEqual(expect.objectContaining({ code: "fewer-replicas" }));
  });

  test("to an older release puts it into the idle slot again", async () => {
    await release(context(), to("fraud:2"));
    await release(context(), to("fraud:3"));
    const end = await rollback(context(), { to: 1 });
    expect(end).toMatchObject({ state: { release: 4, target: "green", outcome: "released" } });
    const { observation } = await observeDeployed(context());
    expect(observation.slots.green.deployment).toMatchObject({ image: "fraud:1", release: 4 });
    expect(await split()).toEqual({ blue: 0, green: 100 });
  });

  test("is refused where there is nothing to go back to", async () => {
    await expect(rollback(context())).rejects.toMatchObject({
      code: "rollback-impossible",
      exitCode: 2,
    });
    await expect(rollback(context(), { to: 1 })).rejects.toThrow("is live already");
    await expect(rollback(context(), { to: 9 })).rejects.toThrow("knows no release 9");
  });
});
