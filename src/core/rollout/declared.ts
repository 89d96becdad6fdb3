import type { Routing } from "../routing.ts";
import type { RolloutPlan, RolloutState } from "./state.ts";

const beforeShares: readonly RolloutState["phase"][] = ["deploy", "warm-up", "verify", "shadow"];

/** What a rollout may have declared up to now for clients: an ingress that is behind may still show any of it. Pure. */
export function declaredUntilNow(
  plan: RolloutPlan,
  { from, target, phase, stepIndex }: RolloutState,
): Routing[] {
  // Testers and copies come before any share.
  if (beforeShares.some((one) => one === phase)) return [{ main: from, candidate: target, weight: 0 }];
  const shares = plan.steps.slice(0, stepIndex + 1).map(({ weight }) => weight);
  return [0, ...shares, 100].map((weight) => ({ main: from, candidate: target, weight }));
}
