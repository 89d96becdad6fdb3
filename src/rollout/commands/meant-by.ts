import { UserError } from "../../core/errors.ts";
import { goalOf, isWayBack } from "../../core/rollout/state.ts";
import type { Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { inProgress, isLive } from "../record/in-progress.ts";
import type { RolloutRecord } from "../record/record.ts";
import { type RollbackOptions, rollback } from "./rollback.ts";
import { type Controlled, control } from "./steer.ts";

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
  const asked = meantBy(await context.store.read(), { release: options.to });
  const now = options.now === true ? (["now"] as const) : [];
  const heard = asked === undefined ? undefined : await heardInTime(control(context, [asked, ...now]));
  if (heard !== undefined) return heard;
  return { kind: "done", end: await rollback(context, options) };
}
