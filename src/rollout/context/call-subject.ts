import type { CallSubject } from "../../core/calls.ts";
import { type Routing, splitOf } from "../../core/routing.ts";
import { type RolloutRecord, releaseOf } from "../record/record.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";
import type { RolloutContext } from "./context.ts";

/** What hooks, gates and notifications are told of a rollout at this moment. Pure. */
export function callSubject(
  { namespace, operator }: Pick<RolloutContext, "namespace" | "operator">,
  record: RolloutRecord,
  entry: RolloutRecordEntry,
  routing: Routing,
): CallSubject {
  const { state, kind, startedAt } = entry;
  const release = releaseOf(record, state.target);
  return {
    model: record.model,
    namespace,
    environment: record.environment ?? undefined,
    kind,
    startedAt,
    release: state.release,
    image: release?.spec.image,
    imageDigest: /sha256:[0-9a-f]{64}/.exec(release?.imageId ?? release?.spec.image ?? "")?.[0],
    slot: state.target,
    direction: state.direction,
    // What has ended is told as its last phase.
    phase: state.phase === "done" ? "scale-down" : state.phase,
    stepIndex: state.stepIndex,
    split: splitOf(routing),
    operator,
  };
}
