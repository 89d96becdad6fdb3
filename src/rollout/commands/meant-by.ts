import { UserError } from "../../core/errors.ts";
import { goalOf, isWayBack } from "../../core/rollout/state.ts";
import type { Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { previousRelease } from "../record/former-releases.ts";
import { inProgress, isLive } from "../record/in-progress.ts";
import type { RolloutRecord } from "../record/record.ts";
import { type RollbackOptions, rollback } from "./rollback.ts";
import { type Controlled, control } from "./steer.ts";

/** How often it is looked whether an aborted switch is over, milliseconds. */
const pollMs = 100;

/**
 * What `rollback`, or `switch` to a slot, means while a rollout is on its way: `abort` where that leads to the same slot, `resume`
 * where traffic is on its way there already. `undefined`: it is no word about this rollout. Pure.
 */
export function meantBy(
  record: RolloutRecord | undefined,
  wanted: { readonly slot?: Slot; readonly release?: number | undefined },
): "abort" | "resume" | undefined {
  const entry = inProgress(record);
  if (record === undefined || entry === undefined || isLive(entry.state)) return undefined;
  const { plan, state } = entry;
  const isBack = isWayBack(plan, state);
  const slot = isBack ? goalOf(state) : state.from;
  if (wanted.slot !== undefined && wanted.slot !== slot) return undefined;
  if (wanted.release !== undefined && wanted.release !== record.slots[slot]) return undefined;
  return isBack ? "resume" : "abort";
}

/** Whether a switch is on its way to the release that a rollback means. Pure. */
function leadsThere(record: RolloutRecord | undefined, to: number | undefined): boolean {
  const entry = inProgress(record);
  if (record === undefined || entry?.kind !== "switch" || isLive(entry.state)) return false;
  const { plan, state } = entry;
  const wanted = to ?? previousRelease(record, state.from)?.number;
  return !isWayBack(plan, state) && wanted !== undefined && wanted === record.slots[state.target];
}

/** Waits until whoever has heard an abort has ended what it did. */
async function untilOver({ store, clock, signal, config }: RolloutContext): Promise<void> {
  const deadline = clock.now() + config.deadlines.readyMs;
  while (inProgress(await store.read()) !== undefined && clock.now() < deadline)
    await clock.sleep(pollMs, signal);
}

/** `undefined`: what was to be taken back had ended before it heard that, so going back is something of its own. */
export async function heardInTime(asking: Promise<Controlled>): Promise<Controlled | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof UserError && error.code === "abort-too-late") return undefined;
    throw error;
  }
}

/** Back to an earlier release; in the middle of a rollout, to the slot that it leaves. */
export async function goBack(context: RolloutContext, options: RollbackOptions): Promise<Controlled> {
  // A switch that leads to the same release, and takes its time, is in the way of it.
  if (leadsThere(await context.store.read(), options.to)) {
    await heardInTime(control(context, ["abort"]));
    await untilOver(context);
    return { kind: "done", end: await rollback(context, options) };
  }
  const asked = meantBy(await context.store.read(), { release: options.to });
  const now = options.now === true ? (["now"] as const) : [];
  const heard = asked === undefined ? undefined : await heardInTime(control(context, [asked, ...now]));
  if (heard !== undefined) return heard;
  return { kind: "done", end: await rollback(context, options) };
}
