import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { putSlot, type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import { isUnfinished } from "./unfinished.ts";

let bench: TestBench;

const context = (replicas = 2) => bench.context(templateConfig({}, { image: "fraud:1", replicas }));
const to = (image: string) => ({ template: { image, replicas: 2 } });
const configMap = `/api/v1/namespaces/${testNamespace}/configmaps/fraud-modelswitch`;
const recordVersion = () => bench.cluster.get(configMap)?.metadata?.resourceVersion;
const ups = () => bench.stack.operations.filter(({ name }) => name === "up");

/** An `up` that was killed once it had recorded what it was about to do. */
async function killedUp(): Promise<void> {
  bench.stack.beforeUp = () => {
    throw new Error("killed");
  };
  await expect(up(context(3), noFlags)).rejects.toThrow("killed");
  bench.stack.beforeUp = undefined;
  bench.stack.operations.length = 0;
}

beforeEach(async () => {
  bench = testBench();
});

describe("an `up` that was stopped half-way", () => {
  test("before there was an Ingress: whatever comes next names the command that finishes it, and records nothing", async () => {
    await killedUp();
    const before = recordVersion();
    for (const next of [
      release(context(), to("fraud:2")),
      rollback(context()),
      switchTraffic(context(), "green"),
    ]) {
      await expect(next).rejects.toMatchObject({
        code: "up-unfinished",
        hint: expect.stringContaining("`modelswitch up` finishes it"),
      });
    }
    expect(recordVersion()).toBe(before);
  });

  test("of a model that serves is finished by the release that comes next", async () => {
    await up(context(), noFlags);
    await killedUp();
    expect(isUnfinished(await observeDeployed(context()))).toBe(true);
    expect(await release(context(), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(ups()[0]?.desired?.spec.slots.blue.replicas).toBe(3);
    expect(await bench.context().store.read()).toMatchObject({ applying: false });
  });

  test("and cannot be finished as it is: the release says so, and is not recorded", async () => {
    await up(context(), noFlags);
    await killedUp();
    bench.stack.beforeUp = () => {
      throw new UserError({ code: "deployment-failed", message: "The quota is used up." });
    };
    await expect(release(context(), to("fraud:2"))).rejects.toMatchObject({
      code: "up-unfinished",
      message: expect.stringContaining("The quota is used up."),
    });
    const record = await bench.context().store.read();
    expect(record?.rollout).toBeUndefined();
    expect(record?.applying).toBe(true);
  });
});

describe("before a release is recorded", () => {
  beforeEach(async () => {
    await up(context(), noFlags);
    bench.stack.operations.length = 0;
  });

  test("a state that is not there is found out", async () => {
    const before = recordVersion();
    bench.stack.isLost = true;
    await expect(release(context(), to("fraud:2"))).rejects.toMatchObject({
      code: "state-missing",
      exitCode: 2,
    });
    expect(recordVersion()).toBe(before);
    expect(bench.stack.operations).toEqual([]);
  });

  test("an object of somebody else's that has a name of the model is found out", async () => {
    const before = recordVersion();
    bench.cluster.put(`/apis/policy/v1/namespaces/${testNamespace}/poddisruptionbudgets/fraud-green`, {
      metadata: { labels: { "app.kubernetes.io/managed-by": "Helm" } },
    });
    await expect(release(context(), to("fraud:2"))).rejects.toMatchObject({
      code: "object-taken",
      exitCode: 2,
    });
    expect(recordVersion()).toBe(before);
  });

  test("a way back asks for none of this before clients are back", async () => {
    await release(context(), to("fraud:2"));
    bench.stack.check = () => Promise.reject(new UserError({ code: "passphrase-wrong", message: "wrong" }));
    expect(await rollback(context())).toMatchObject({ state: { release: 1 } });
    expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
  });
});

test("a change of the Deployment by hand is said by a release and a rollback, and stops neither", async () => {
  await up(context(), noFlags);
  putSlot(bench.cluster, "blue", { image: "fraud:hotfix", release: 1 });
  const path = `/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-blue`;
  const live = bench.cluster.get(path);
  const fieldsV1 = { "f:spec": { "f:replicas": {} } };
  bench.cluster.put(path, {
    ...live,
    spec: { ...(live?.spec as object), replicas: 3 },
    metadata: {
      ...live?.metadata,
      managedFields: [{ manager: "kubectl", operation: "Update", subresource: "scale", fieldsV1 }],
    },
  });
  await release(context(), to("fraud:2")).catch(() => undefined);
  expect(bench.events).toContainEqual(
    expect.objectContaining({
      code: "changed-by-hand",
      message: expect.stringContaining("Deployment fraud-blue (blue, release 1) was changed by hand"),
    }),
  );
});
