import { describeAmounts } from "../../core/capacity/amounts.ts";
import { describeShort, describeWhy } from "../../core/capacity/describe.ts";
import { UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { RolloutContext } from "../context.ts";
import { type Capacity, type CapacityQuestion, capacityFor } from "./capacity.ts";

/**
 * Refuses a rollout whose pods find no place, before anything is written. Where it cannot be seen, or an autoscaler may add nodes, it
 * warns.
 * @throws UserError `capacity-short`
 */
export async function requireCapacity(context: RolloutContext, question: CapacityQuestion): Promise<void> {
  const { config, events } = context;
  const policy = config.rollout.capacity;
  if (policy === "skip") return;
  const capacity = await step(
    events,
    { id: "capacity", title: `Look for room for ${question.slot}` },
    () => capacityFor(context, question),
    (found) => (found === undefined ? "somebody else runs its pods" : describeCapacity(found)),
  );
  const verdict = capacity?.verdict;
  switch (verdict?.kind) {
    case undefined:
    case "fits":
      return;
    case "unknown":
      events({
        type: "warning",
        code: "capacity-unknown",
        message: `Nobody knows whether the pods will find room: ${verdict.why}.`,
        hint: '`modelswitch rbac --with-optional` prints the ClusterRole for it; `rollout.capacity: "skip"` stops asking.',
      });
      return;
    case "short": {
      const message = `${describeShort(verdict.fit)}.`;
      if (verdict.autoscaler !== undefined) {
        events({
          type: "warning",
          code: "capacity-short",
          message: `${message} ${verdict.autoscaler} has to add nodes.`,
          hint: "Where none come within `deadlines.ready`, the rollout is taken back.",
        });
        return;
      }
      if (policy === "warn") {
        events({ type: "warning", code: "capacity-short", message });
        return;
      }
      throw new UserError({
        code: "capacity-short",
        message: `The nodes have no room beside what runs: ${message} Nothing was changed.`,
        hint: 'Make room, add nodes, or release fewer replicas. `rollout.mode: "recreate"` empties the live slot first, an outage. `--capacity warn` goes on all the same, for example where an autoscaler that cannot be seen adds nodes.',
        details: { asked: verdict.fit.asked, placed: verdict.fit.placed, shortages: verdict.fit.shortages },
      });
    }
  }
}

/** What a rollout needs beside what runs, and whether it is there: `3 more replicas (3 nvidia.com/gpu, 6 cpu): they fit`. */
export function describeCapacity({ replicas, requests, verdict }: Capacity): string {
  const amounts = describeAmounts(requests);
  const what = `${replicas} more ${replicas === 1 ? "replica" : "replicas"}${amounts === "" ? "" : ` (${amounts})`}`;
  const fits = replicas === 1 ? "it fits" : "they fit";
  switch (verdict.kind) {
    case "fits":
      return replicas === 0 ? "no more replicas" : `${what}: ${fits}`;
    case "unknown":
      return `${what}: whether ${fits} cannot be seen (${verdict.why})`;
    case "short": {
      const { fit, autoscaler } = verdict;
      const found = `${fit.placed} of ${fit.asked} ${fit.placed === 1 ? "finds" : "find"} room`;
      const who = autoscaler === undefined ? "" : `${autoscaler} has to add nodes; `;
      return `${what}: ${who}${found}, ${describeWhy(fit)}`;
    }
  }
}
