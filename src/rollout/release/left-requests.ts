import type { RolloutContext } from "../context/context.ts";
import { requireInProgress } from "../record/in-progress.ts";
import type { RolloutRequest } from "../record/rollouts.ts";

/**
 * Leaves requests for the command that works on the rollout, in the record: whoever works on it next hears them where none does. They
 * are heard within a second, and at once when `withLockOrAsk` rings for them.
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
