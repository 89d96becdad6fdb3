import { expect, test } from "vitest";
import { benchWithModel, routingsOf, templateConfig, to } from "../../../test/support/release-bench.ts";
import { testNamespace } from "../../../test/support/rollout-bench.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";

const prefix = "nginx.ingress.kubernetes.io";
const canary = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;

test.each([
  ["0.5%:2m, 2.5%:5m, 50%", [0.5, 2.5, 50]],
  ["0.5%:2m, 5%:5m, 12.5%", [0.5, 5, 12.5]],
])("the steps %s are written as the shares that they are", { timeout: 120_000 }, async (steps, shares) => {
  const bench = await benchWithModel(templateConfig());
  const written: number[] = [];
  bench.afterMove = () => {
    const { [`${prefix}/canary-weight`]: weight, [`${prefix}/canary-weight-total`]: total = "100" } =
      bench.cluster.get(canary)?.metadata?.annotations ?? {};
    const share = (100 * Number(weight)) / Number(total);
    // A total of a hundred is taken away by a write of its own.
    if (share !== written.at(-1)) written.push(share);
    return Promise.resolve();
  };
  expect(await release(bench.context(templateConfig({ steps })), to("fraud:2"))).toMatchObject({
    kind: "live",
  });
  expect(written.filter((share) => share > 0 && share < 100)).toEqual(shares);
  expect(routingsOf(bench)).toEqual(expect.arrayContaining(shares.map((share) => `blue|green@${share}`)));
});

test.each([
  ["1", "200"],
  ["5", "1000"],
])(
  "a share that somebody has said as %s of %s meanwhile makes the next one no other",
  async (weight, total) => {
    const bench = await benchWithModel(templateConfig());
    const weightKey = `${prefix}/canary-weight`;
    const totalKey = `${prefix}/canary-weight-total`;
    const shown: number[] = [];
    bench.afterMove = () => {
      const object = bench.cluster.get(canary);
      const annotations = object?.metadata?.annotations ?? {};
      shown.push((100 * Number(annotations[weightKey])) / Number(annotations[totalKey] ?? "100"));
      if (annotations[weightKey] === "50" && annotations[totalKey] === "10000") {
        const others = { ...annotations, [weightKey]: weight, [totalKey]: total };
        bench.cluster.put(canary, { ...object, metadata: { ...object?.metadata, annotations: others } });
      }
      return Promise.resolve();
    };
    const steps = "0.5%:2m, 2.5%:2m, 50%:2m";
    expect(await release(bench.context(templateConfig({ steps })), to("fraud:2"))).toMatchObject({
      kind: "live",
    });
    expect([...new Set(shown.filter((share) => share > 0 && share < 100))]).toEqual([0.5, 2.5, 50]);
  },
);

test("a way back in steps that the router cannot say is refused before anything is written", async () => {
  const config = () => ({ ...templateConfig(), router: "plain" as const });
  const bench = await benchWithModel(config());
  await release(bench.context(config()), to("fraud:2"));
  const before = routingsOf(bench).length;
  const steps = [{ weight: 0.5, holdMs: 0 }];
  await expect(rollback(bench.context(config()), { steps })).rejects.toMatchObject({
    code: "capability-missing",
  });
  expect(routingsOf(bench)).toHaveLength(before);
});
