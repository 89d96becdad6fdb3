import { expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { interrupted } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import { describeTraffic } from "../../core/routing.ts";
import { abortableReads } from "../../kubernetes/abortable.ts";
import { release, resume } from "../commands/release.ts";
import { up } from "../commands/up.ts";
import type { RolloutContext } from "../context/context.ts";
import { observeDeployed } from "../context/deployed.ts";
import { RecordStore } from "../record/record-store.ts";

const metrics = { port: 8082, path: "/metrics" };
const found = templateConfig({
  drain: 5,
  soak: 2,
  steps: "25%:1s",
  warmUp: { path: "/predict", body: { x: 1 } },
  hooks: [{ name: "smoke", after: "verify", run: ["true"] }],
});
const config = {
  ...found,
  server: { ...found.server, metrics, draining: { gauges: ["in_progress"], lagSeconds: 2 } },
};
const next = { template: { image: "fraud:2", replicas: 2 } };

/** The command's context, whose reads end with the command as those of a real API server do. */
function contextOf(bench: TestBench): RolloutContext {
  const context = bench.context(config);
  const api = abortableReads(context.api, bench.stop.signal);
  return { ...context, api, store: new RecordStore(api, context.namespace, config.name) };
}

/** Stops the command while it waits for the answer to its nth request, of those to paths that end so. */
function stopAt(bench: TestBench, nth: number, ending = ""): void {
  let requests = 0;
  const { intercept } = bench.cluster;
  bench.cluster.intercept = async (request) => {
    if (request.path.endsWith(ending)) requests += 1;
    if (requests === nth) bench.stop.abort();
    if (request.signal?.aborted) throw interrupted("A request to the API server");
    if (request.path.endsWith("/predict")) return { status: 200, headers: {}, body: "" };
    if (request.path.endsWith("/metrics")) return { status: 200, headers: {}, body: "in_progress 0\n" };
    return await intercept?.(request);
  };
}

/** How each step ended that has begun, by its id; one that goes on has no end. */
function endsOf(events: readonly Event[]): Map<string, string> {
  const ends = new Map<string, string>();
  for (const event of events) if (event.type === "step") ends.set(event.id, event.state);
  return ends;
}

test("stopped at any request: it says so and where traffic is, nothing has failed, and `resume` goes on", async () => {
  const places = new Set<string>();
  const stoppedSteps = new Set<string>();
  const isOver = async (nth: number, ending?: string): Promise<boolean> => {
    const bench = testBench();
    await up(bench.context(config), noFlags);
    bench.events.length = 0;
    stopAt(bench, nth, ending);
    const error: unknown = await release(contextOf(bench), next).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    // It was live before the stop came.
    if (error === undefined) return true;
    const where = `stopped at request ${nth} ${ending ?? ""}`;
    expect(error, where).toMatchObject({ code: "interrupted", exitCode: 130 });
    const { hint = "" } = error as { hint?: string };
    const again = { ...bench.context(config), signal: new AbortController().signal };
    const { record, routing } = await observeDeployed(again);
    if (record.rollout === undefined) expect(hint, where).toBe("Nothing was changed.");
    else if (!hint.startsWith("Traffic is where it was.")) {
      expect(hint, where).toContain(
        `Traffic is on ${describeTraffic(routing)}, in the phase ${record.rollout.state.phase}.`,
      );
      expect(hint, where).toContain("`modelswitch resume` goes on");
    }
    places.add(record.rollout?.state.phase ?? "before");
    for (const [id, state] of endsOf(bench.events)) {
      expect(["done", "skipped", "interrupted"], `${where}: ${id} ${state}`).toContain(state);
      if (state === "interrupted") stoppedSteps.add(id);
    }
    const others = bench.events.filter((event) => event.type !== "step");
    expect(JSON.stringify(others), where).not.toMatch(/interrupted|rollout-aborts/);
    const end = (await resume(again, "resume")) ?? (await release(again, next));
    expect(end, where).toMatchObject({ kind: "live", state: { direction: "forward" } });
    return false;
  };
  let nth = 1;
  while (!(await isOver(nth))) nth += 4;
  // The end is short as well.
  for (const before of [7, 6, 5, 3, 2, 1, 0, -1]) await isOver(nth - before);
  // The look at the gauges is short: every fourth request may pass it by.
  expect(await isOver(1, "/metrics")).toBe(false);
  // It was tried everywhere.
  expect([...places]).toEqual([
    "before",
    "deploy",
    "warm-up",
    "verify",
    "shift",
    "cut-over",
    "soak",
    "drain",
    "scale-down",
  ]);
  expect([...stoppedSteps].sort()).toEqual([
    "admission",
    "capacity",
    "deploy-green",
    "drain-blue",
    "identities",
    "ready-green",
    "verify",
    "warm-up-green",
  ]);
}, 120_000);

test("stopped while it waits for an approval: it says so and where traffic is", async () => {
  const bench = testBench();
  await up(bench.context(config), noFlags);
  bench.events.length = 0;
  const { rollout } = templateConfig({ approval: ["shift"] });
  const context = bench.context({ ...config, rollout });
  const events = (event: Event) => {
    bench.events.push(event);
    if (event.type === "info" && event.message.startsWith("Waiting: ")) bench.stop.abort();
  };
  await expect(release({ ...context, events }, { ...next, waitWhenHeld: true })).rejects.toMatchObject({
    code: "interrupted",
    hint: expect.stringContaining("Traffic is on blue, in the phase shift."),
  });
  expect([...endsOf(bench.events).values()]).not.toContain("failed");
});
