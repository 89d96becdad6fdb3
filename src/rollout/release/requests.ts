import type { RolloutContext } from "../context.ts";
import type { RolloutRequest } from "../record-rollouts.ts";
import { requireInProgress } from "./entry.ts";

/**
 * Leaves requests for the command that works on the rollout; they are heard before that command's next step, and by the next
 * command where none works.
 * @throws UserError `rollout-missing`
 */
export async function askOf(
  context: RolloutContext,
  kinds: readonly RolloutRequest["kind"][],
): Promise<void> {
  const at = new Date(context.clock.now()).toISOString();

  await context.store.update((record) => {
    if (record === undefined) return record;
    const entry = requireInProgress(context, record);
    const requests = kinds.map(
      (kind): RolloutRequest => ({
        kind,
        // Whoever approves has seen this phase, not the next one.
        ...(kind === "approve" ? { phase: entry.state.phase } : {}),
        by: context.operator,
        at,
      }),
    );
    return { ...record, rollout: { ...entry, requests: [...entry.requests, ...requests] } };
  });
}
