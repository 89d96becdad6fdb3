import { describeAmounts } from "../../core/capacity/amounts.ts";
import { describeShort, describeWhy } from "../../core/capacity/describe.ts";
import { describeViolation } from "../../core/capacity/limit-range.ts";
import { describeQuota } from "../../core/capacity/quota.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Capacity, type CapacityQuestion, capacityFor } from "./capacity.ts";

/**
 * Refuses a rollout whose pods find no place, before anything is written. Where it cannot be seen, or an autoscaler may add nodes, it
 * warns.
 * @throws UserError `capacity-short`
 */
export async function requireCapacity(
  context: RolloutContext,
  question: CapacityQuestion,
  /** Whether people are warned of what nobody knows; it is evidence of the step anyway. */
  { warnUnknown }: { readonly warnUnknown: boolean },
): Promise<Capacity | undefined> {
  const { config, events } = context;
  const policy = config.rollout.capacity;
  if (policy === "skip") return undefined;
  const capacity = await step(
    events,
    { id: "capacity", title: `Look for room for ${question.slot}` },
    () => capacityFor(context, question),
    (found) => (found === undefined ? "somebody else runs its pods" : describeCapacity(found)),
  );
  if (capacity === undefined) return undefined;
  const why = unknownOf(capacity);
  if (why !== "" && warnUnknown) {
    events({
      type: "warning",
      code: "capacity-unknown",
      message: `Nobody knows whether the pods will find room: ${why}.`,
      hint: '`modelswitch rbac --with-optional` prints the rights for it; `rollout.capacity: "skip"` stops asking.',
    });
  }
  refuseShort(context, capacity);
  return capacity;
}

/** What of it cannot be seen, in words; empty: nothing. */
function unknownOf({ verdict, unseen }: Capacity): string {
  return [
    ...(verdict.kind === "unknown" ? [verdict.why] : []),
    ...(unseen.length === 0 ? [] : [`this account may not list ${unseen.join(" and ")} of the namespace`]),
  ].join("; ");
}

function refuseShort(context: RolloutContext, { verdict, replicas }: Capacity): void {
  const { events } = context;
  const policy = context.config.rollout.capacity;
  switch (verdict.kind) {
    case "fits":
    case "unknown":
      return;
    case "forbidden": {
      const message = `The namespace ${context.namespace} does not let such pods in: ${verdict.violations.map(describeViolation).join("; ")}.`;
      if (policy === "warn") {
        events({ type: "warning", code: "limit-range", message });
        return;
      }
      throw new UserError({
        code: "limit-range",
        message: `${message} Nothing was changed.`,
        hint: "Change `resources` in the configuration, or have the LimitRange changed.",
        exitCode: exitCodes.usage,
        details: { violations: verdict.violations },
      });
    }
    case "quota": {
      const message = `The namespace ${context.namespace} has no room for ${pods(replicas)}: ${verdict.problems.map(describeQuota).join("; ")}.`;
      if (policy === "warn") {
        events({ type: "warning", code: "quota-short", message });
        return;
      }
      const isUnspecified = verdict.problems.some(({ kind }) => kind === "unspecified");
      throw new UserError({
        code: "quota-short",
        message: `${message} Nothing was changed.`,
        hint: isUnspecified
          ? "Say it in `resources` of the configuration, for example `limits: { cpu: 2 }`, or have a LimitRange fill it in."
          : 'Free some of it, have the ResourceQuota raised, or ask for less. `rollout.mode: "recreate"` empties the live slot first, an outage; `--capacity warn` goes on all the same.',
        details: { problems: verdict.problems },
      });
    }
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

function pods(count: number): string {
  return count === 1 ? "1 more pod" : `${count} more pods`;
}

/** What a rollout needs beside what runs, and whether it is there: `3 more replicas (3 nvidia.com/gpu, 6 cpu): they fit`. */
export function describeCapacity(capacity: Capacity): string {
  const { replicas, requests, verdict, unseen } = capacity;
  const amounts = describeAmounts(requests);
  const what = `${replicas} more ${replicas === 1 ? "replica" : "replicas"}${amounts === "" ? "" : ` (${amounts})`}`;
  const fits = replicas === 1 ? "it fits" : "they fit";
  switch (verdict.kind) {
    case "fits":
      return replicas === 0 ? "no more replicas" : `${what}: ${fits}${unseenIn(unseen)}`;
    case "forbidden":
      return `${what}: the namespace does not let them in, ${verdict.violations.map(describeViolation).join("; ")}`;
    case "quota":
      return `${what}: the namespace has no room, ${verdict.problems.map(describeQuota).join("; ")}`;
    case "unknown":
      return `${what}: whether ${fits} cannot be seen (${unknownOf(capacity)})`;
    case "short": {
      const { fit, autoscaler } = verdict;
      const found = `${fit.placed} of ${fit.asked} ${fit.placed === 1 ? "finds" : "find"} room`;
      const who = autoscaler === undefined ? "" : `${autoscaler} has to add nodes; `;
      return `${what}: ${who}${found}, ${describeWhy(fit)}`;
    }
  }
}

function unseenIn(unseen: readonly string[]): string {
  return unseen.length === 0 ? "" : `, as far as can be seen without ${unseen.join(" and ")}`;
}
