import { liveSlot, type Movement, type Routing, stepsTo } from "../../core/routing.ts";

/** What a switch that was left unfinished still has to do; `undefined` when there is nothing. */
export function pendingSwitch(routing: Routing, capabilities: Movement): string | undefined {
  const live = liveSlot(routing);
  const steps = stepsTo(live, routing, capabilities);
  if (steps.length === 0) return undefined;
  return `a switch to ${live} is unfinished (${steps.map(({ name }) => name).join(", ")} left); \`modelswitch switch ${live}\` finishes it`;
}
