import { isWayBack } from "../../core/rollout/state.ts";
import type { RolloutContext } from "../context/context.ts";
import type { WayAsked } from "../lock/held-lock.ts";
import { inProgress } from "../record/in-progress.ts";

/**
 * Whether what is asked of a command that works on no rollout is to make way: for somebody who leads traffic back, by a rollout of their own
 * or by one in progress. What else is asked of a rollout waits for a command that works on it.
 */
export function wayAsked({ store }: Pick<RolloutContext, "store">): WayAsked {
  return async ({ kind }) => {
    switch (kind) {
      case "hello":
        return false;
      case "abort":
        return true;
      case "look": {
        const entry = inProgress(await store.read());
        if (entry === undefined) return false;
        const isAborted = entry.requests.some((request) => request.kind === "abort");
        return isAborted || isWayBack(entry.plan, entry.state);
      }
    }
  };
}
