import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { testBench } from "../../../test/support/rollout-bench.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";
import { digestOf } from "../record/report.ts";
import type { RolloutReport } from "../record/rollout-report.ts";
import { type RolloutOutcomeRecord, withoutReport } from "../record/rollouts.ts";
import { checkChain, checkInChain } from "./chain.ts";

let rollouts: readonly RolloutOutcomeRecord[];

beforeEach(async () => {
  const bench = testBench();
  const context = bench.context(templateConfig({ rollbackWindow: 0 }));
  await up(context, noFlags);
  await release(context, { template: { image: "fraud:2", replicas: 2 } });
  await rollback(context);
  await release(context, { template: { image: "fraud:3", replicas: 2 } });
  rollouts = (await context.store.read())?.rollouts ?? [];
});

function reportAt(index: number): RolloutReport {
  const report = rollouts[index]?.report;
  if (report === undefined) throw new Error("There is one.");
  return report;
}

/** As somebody would who knows how digests are made. */
function forged(index: number, change: Partial<RolloutReport>): readonly RolloutOutcomeRecord[] {
  const outcome = rollouts[index];
  if (outcome === undefined) throw new Error("There is one.");
  const changed = { ...reportAt(index), ...change };
  const report = { ...changed, sha256: digestOf(changed) };
  return rollouts.with(index, { ...outcome, report, sha256: report.sha256 });
}

const record = (all = rollouts) => ({ model: "fraud", namespace: "ml", rollouts: all });
const codes = (problems: readonly { readonly code: string }[]) => problems.map(({ code }) => code);

describe("the chain of reports", () => {
  test("holds as it was written, also where older reports are not kept any more", () => {
    expect(checkChain(rollouts)).toEqual({ reports: 3, links: 2, problems: [] });
    const [first, ...rest] = rollouts;
    const pruned = first === undefined ? [] : [withoutReport(first), ...rest];
    expect(checkChain(pruned)).toEqual({ reports: 2, links: 2, problems: [] });
    expect(checkInChain(reportAt(1), record(pruned)).problems).toEqual([]);
  });

  test("breaks where a report was changed, whoever knows how digests are made", () => {
    const outcome = rollouts[1];
    if (outcome === undefined) throw new Error("There is one.");
    const clumsy = rollouts.with(1, { ...outcome, report: { ...reportAt(1), by: "eve@laptop" } });
    expect(codes(checkChain(clumsy).problems)).toEqual(["report-chain-broken"]);
    expect(checkChain(forged(1, { by: "eve@laptop" })).problems[0]?.message).toContain("does not follow");
    expect(checkInChain(reportAt(2), record(forged(2, { by: "eve@laptop" }))).problems[0]?.message).toContain(
      "another report of rollout 3",
    );
  });

  test("breaks where one was taken out, in the middle or at the beginning", () => {
    expect(codes(checkChain(rollouts.toSpliced(1, 1)).problems)).toEqual(["report-chain-broken"]);
    expect(codes(checkChain(rollouts.slice(1)).problems)).toEqual(["report-chain-broken"]);
  });

  test("of another model, or of a rollout that the record does not know, is no chain of this report", () => {
    const other = { ...record(), model: "churn" };
    expect(codes(checkInChain(reportAt(0), other).problems)).toEqual(["report-chain-broken"]);
    const unknown = { ...reportAt(0), rollout: 9 };
    expect(codes(checkInChain(unknown, record()).problems)).toEqual(["report-chain-unknown"]);
  });
});
