import type { Routing } from "../routing.ts";
import type { RolloutPlan, RolloutState } from "./state.ts";

/** What a rollout may have declared up to now for clients: an ingress that is behind may still show any of it. Pure. */
export function declaredUntilNow(plan: RolloutPlan, { from, target, stepIndex }: RolloutState): Routing[] {
  const shares = plan.steps.slice(0, stepIndex + 1).map(({ weight }) => weight);
  return [0, ...shares, 100].map((weight) => ({ main: from, candidate: target, weight }));
}
