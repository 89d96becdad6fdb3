import type { RolloutContext } from "../context.ts";
import type { RolloutRequest } from "../record-rollouts.ts";
import { requireInProgress } from "./entry.ts";

/**
 * Leaves a request for the command that works on the rollout; it is heard before that command's next step, and by the next
 * command where none works.
 * @throws UserError `rollout-missing`
 */
export async function askOf(context: RolloutContext, kind: RolloutRequest["kind"]): Promise<void> {
  const request: RolloutRequest = {
    kind,
    by: context.operator,
    at: new Date(context.clock.now()).toISOString(),
  };
  await context.store.update((record) => {
    if (record === undefined) return record;
    const entry = requireInProgress(context, record);
    return { ...record, rollout: { ...entry, requests: [...entry.requests, request] } };
  });
}
