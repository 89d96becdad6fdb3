import { UserError } from "../../core/errors.ts";
import type { Action } from "../../core/rollout/world.ts";
import { occupants } from "../../slots/occupants.ts";
import { describeReadiness, readiness } from "../../slots/readiness.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { observeSlot } from "../observe/observe.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";
import { waitForSlot } from "../traffic/slot-wait.ts";
import type { Hearing } from "./heard-requests.ts";
import type { PhaseGates } from "./phase-gates.ts";

/** How long a wait is at the most before everything is looked at again: requests of others are heard then. */
const lookEveryMs = 1_000;

type Wait = Extract<Action, { kind: "wait" }>;

/** Since when this command has waited for the same thing without a break. What an earlier one waited does not count. */
export class WaitTimes {
  #for: string | undefined;
  #since = 0;

  see(action: Action, now: number): void {
    const what = action.kind === "wait" ? `${action.for} ${action.slot}` : undefined;
    if (what !== this.#for) this.#since = now;
    this.#for = what;
  }

  lasted(now: number): number {
    return now - this.#since;
  }
}

export interface WaitMeans {
  readonly waits: WaitTimes;
  readonly gates: Pick<PhaseGates, "news">;
  /** What somebody asks ends the wait. */
  readonly hearing: Pick<Hearing, "pause">;
}

/** Waits for a while, or until what is waited for has a deadline of its own. Everything is looked at again afterwards. */
export async function wait(
  context: RolloutContext,
  record: RolloutRecord,
  { plan, state }: RolloutRecordEntry,
  action: Wait,
  { waits, gates, hearing }: WaitMeans,
): Promise<void> {
  const { readyMs } = context.config.deadlines;
  if (action.for === "readiness" && plan.readiness === "all" && state.direction === "forward") {
    await waitForSlot(context, locationOf(context, record), action.slot);
    return;
  }
  const isLate = waits.lasted(context.clock.now()) > readyMs;
  if (action.for === "readiness" && isLate) {
    const verdict = readiness(await observeSlot(locationOf(context, record), action.slot));
    throw new UserError({
      code: "slot-not-ready",
      message: `${action.slot} has no ready pod, so it cannot take the traffic${state.direction === "back" ? " back" : ""}: ${describeReadiness(verdict)}.`,
      hint: "`modelswitch status` shows what is wrong with it.",
    });
  }
  if (action.for === "vacating" && isLate) {
    const { holding } = occupants(
      await observeSlot(locationOf(context, record), action.slot),
      context.clock.now(),
    );
    const pods = holding.map(({ name, phase, terminating }) => `${name} (${terminating ? "ending" : phase})`);
    throw new UserError({
      code: "slot-not-vacated",
      message: `The pods of ${action.slot} have not ended after ${Math.round(readyMs / 1000)} s, so there is no room for the other slot: ${pods.join(", ")}.`,
      hint: "Look at them with `modelswitch status` and `kubectl describe pod`; then run `modelswitch resume`.",
    });
  }
  const left = (action.until ?? Number.POSITIVE_INFINITY) - context.clock.now();
  const ms = Math.max(10, Math.min(left, lookEveryMs));
  if (action.for === "gates") await pauseUntil(context, hearing, gates.news(), ms);
  else await hearing.pause(context, ms);
}

/** Pauses so long, or until something has happened: gates mostly answer at once. */
async function pauseUntil(
  { clock, signal }: RolloutContext,
  hearing: WaitMeans["hearing"],
  news: Promise<void>,
  ms: number,
): Promise<void> {
  const awake = new AbortController();
  const pausing = { clock, signal: AbortSignal.any([signal, awake.signal]) };
  const asleep = hearing.pause(pausing, ms).catch((error: unknown) => {
    if (!awake.signal.aborted || signal.aborted) throw error;
  });
  await Promise.race([asleep, news]);
  awake.abort();
  await asleep;
}
