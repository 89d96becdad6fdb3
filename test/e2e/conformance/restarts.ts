import { expect } from "vitest";
import type { LoadReport } from "../../../demo/load.ts";
import { resultOf } from "../cli-process.ts";
import { isSoak } from "../soak.ts";
import { until } from "../test-cluster.ts";
import type { Stage } from "./stage.ts";

/** When something was away, milliseconds since the Unix epoch. */
interface Outage {
  readonly from: number;
  readonly to: number;
}

/**
 * A command goes on with a shift, and each time that it is about to write the next share, the controller is killed and started again. The command
 * proves what it wrote nevertheless, and ends as it would have. Where what takes requests has gone on, no request may fail. Where that was
 * the process that was killed, those may fail that it held, and those that came before it was back: they met the outage, and not the shift.
 */
export async function restartedInShift(stage: Stage): Promise<void> {
  const { controller } = stage;
  const restarts = [
    ...(controller.restartControl === undefined
      ? []
      : [{ isOutage: false, restart: controller.restartControl }]),
    ...(controller.restartControl === undefined || isSoak
      ? [{ isOutage: true, restart: () => controller.restartProxy() }]
      : []),
  ];
  const outages: Outage[] = [];
  const under: Promise<void>[] = [];
  stage.startLoad();
  const { exitCode, stdout, stderr } = await stage.project.command(["reconcile", "--json"], {
    onStart: (child) => {
      child.stdout?.on("data", (text: string) => {
        if (!/"id":"write-shift"[^\n]*"state":"started"|"state":"started"[^\n]*"id":"write-shift"/.test(text))
          return;
        const next = restarts.shift();
        if (next !== undefined) under.push(fallAndRise(stage, next, outages));
      });
    },
  });
  await Promise.all(under);
  expect(restarts, "every restart happened").toEqual([]);
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  expect(resultOf(stdout)).toMatchObject({ ended: "live", target: "green" });
  const report = await stage.endLoad();
  expect(beyond(report, outages), stage.project.explain(report)).toEqual([]);
  stage.live = "green";
  expect(await stage.split()).toEqual({ blue: 0, green: 100 });
  expect(await stage.at()).toBe("2");
  if (stage.router.capabilities.header)
    expect([await stage.at("blue"), await stage.at("green")]).toEqual(["1", "2"]);
}

async function fallAndRise(
  stage: Stage,
  { isOutage, restart }: { readonly isOutage: boolean; readonly restart: () => Promise<void> },
  outages: Outage[],
): Promise<void> {
  const from = Date.now();
  await restart();
  await until("clients are answered", async () => ["1", "2"].includes(await stage.at().catch(() => "")));
  if (isOutage) outages.push({ from, to: Date.now() });
}

/** The failures that no outage explains. Only so many are kept by the load: what is not kept counts as unexplained. */
function beyond(report: LoadReport, outages: readonly Outage[]): unknown[] {
  const unexplained = report.failures.filter((failure) => {
    const sent = report.startedAt + failure.sentAtMs;
    const failed = report.startedAt + failure.failedAtMs;
    return !outages.some(({ from, to }) => sent <= to && failed >= from);
  });
  const unkept = report.failed - report.failures.length;
  return unkept === 0 ? unexplained : [...unexplained, `${unkept} more`];
}
