import { step } from "../../core/events.ts";
import type { RolloutContext } from "../context/context.ts";
import { describePlace, describeRecorded, isSamePlace, recordedPlace } from "../program/state-record.ts";
import type { RolloutRecord, StateRecord } from "../record/record.ts";

/** Asks whether a state in the project's folder is to move into the cluster, where it is there and may. */
export async function agreedToMove(
  { config, namespace, state }: RolloutContext,
  agree: ((question: string) => Promise<boolean>) | undefined,
): Promise<boolean> {
  if (agree === undefined) return false;
  const place = await state.place();
  if (place.kind !== "folder" || place.why !== "there" || !place.mayMove) return false;
  return await agree(
    `Pulumi's state of ${config.name} is in ${describePlace(config, place)}, on this machine alone. Move it into Secrets in ${namespace}, so that any machine can go on with the model and nobody needs the passphrase again?`,
  );
}

/** Moves it, and lets the record say so. The lock must be held. */
export async function moveStateIn(context: RolloutContext): Promise<void> {
  const { events, state } = context;
  await step(
    events,
    { id: "move-state", title: "Move Pulumi's state into the cluster" },
    () => state.moveIn(),
    () => "its secrets are encrypted with a key of its own",
  );
  await recordStatePlace(context);
}

/** Lets the record say where the state is now. */
export async function recordStatePlace({ config, namespace, state, store }: RolloutContext): Promise<void> {
  const place = recordedPlace(config, namespace, await state.place());
  await store.update((record) => record && withStatePlace(record, place));
}

/** The record with where the state is, so that another machine is told; a place on one machine is no news for others. Pure. */
export function withStatePlace(record: RolloutRecord, place: StateRecord | undefined): RolloutRecord {
  const { state, ...others } = record;
  if (place === undefined) return state === undefined ? record : others;
  return state !== undefined && isSamePlace(state, place) ? record : { ...record, state: place };
}

/** Whoever looks for the state elsewhere than it was last should know: a new one is about to begin. */
export async function warnOfOtherPlace(
  { config, namespace, state, events }: RolloutContext,
  record: RolloutRecord | undefined,
): Promise<void> {
  if (record?.state === undefined) return;
  const place = await state.place();
  if (isSamePlace(record.state, recordedPlace(config, namespace, place))) return;
  events({
    type: "warning",
    code: "state-elsewhere",
    message: `Pulumi's state of ${config.name} is in ${describeRecorded(record.state)}, as the rollout record says, and there is none in ${describePlace(config, place)}: a new one begins there.`,
    hint: "Name the recorded place in the configuration (`pulumi`) to go on with that one.",
  });
}
