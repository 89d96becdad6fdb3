import type { Routing } from "../../core/routing.ts";
import type { Observation } from "../observe/observation.ts";
import type { RolloutRecord } from "../record/record.ts";

/** The model whose requests are counted, as it was seen last. */
export interface CountedRollout {
  readonly record: RolloutRecord;
  readonly routing: Routing;
  readonly observation: Observation;
}

/** The longest that a request may take. */
export function longestRequestMs({ settings }: RolloutRecord): number {
  const { preStopSleepSeconds, terminationGracePeriodSeconds } = settings.server;
  return Math.max(0, terminationGracePeriodSeconds - preStopSleepSeconds) * 1000;
}

/** How many steps of the rollout share clients' requests. */
export function stepsOf({ rollout }: RolloutRecord): number {
  return Math.max(1, (rollout?.plan.steps ?? []).filter(({ weight }) => weight < 100).length);
}
