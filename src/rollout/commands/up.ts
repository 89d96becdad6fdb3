import { exitCodes, UserError } from "../../core/errors.ts";
import { type EventSink, step } from "../../core/events.ts";
import type { Note } from "../../core/note.ts";
import { liveSlot, type Routing, splitOf } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { OperationResult, ResourceChange } from "../../engine/stack.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { withPermissions } from "../context/permissions.ts";
import { whileIngressWaits } from "../ingress/ingress-wait.ts";
import { requireServed } from "../ingress/require-served.ts";
import { withLock } from "../lock/lock.ts";
import type { Observation } from "../observe/observation.ts";
import { observe } from "../observe/observe.ts";
import { giveUpReplicas, takeReplicas } from "../plan/handover.ts";
import { withImagesRun } from "../plan/images-run.ts";
import { checkStack, requireNames } from "../plan/require-stack.ts";
import type { Drift } from "../program/drift.ts";
import { driftOf, hasDrifted } from "../program/drift.ts";
import { isChoice } from "../program/hand-changes.ts";
import type { ModelStack } from "../program/model-stack.ts";
import { recordedPlace } from "../program/state-record.ts";
import { canonicalJson } from "../record/canonical-json.ts";
import { withLive } from "../record/ever-live.ts";
import type { RolloutRecord } from "../record/record.ts";
import { wayAsked } from "../release/way-asked.ts";
import { waitForSlot, whileWatching } from "../traffic/slot-wait.ts";
import { decide, type PreparedUp, prepareUp, type UpOptions } from "./prepare-up.ts";
import { proveUp, type UpProof } from "./prove-up.ts";
import { refuseUndoing } from "./refuse-undoing.ts";
import { requireRoomForUp } from "./room-for-up.ts";
import { agreedToMove, moveStateIn, warnOfOtherPlace, withStatePlace } from "./where-state-is.ts";

export interface UpResult {
  readonly live: Slot;
  readonly routing: Routing;
  readonly record: RolloutRecord;
  readonly changes: readonly ResourceChange[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly proof: UpProof;
  readonly notes: readonly Note[];
  readonly applyMs: number;
  readonly totalMs: number;
}

/** Makes the cluster what the configuration says, with the traffic where it is, and proves that the live slot answers. */
export async function up(context: RolloutContext, options: UpOptions): Promise<UpResult> {
  const { clock, events } = context;
  const startedAt = clock.now();
  // Everything that can be refused is refused before anything is asked or written.
  const first = await withPermissions(
    context,
    ["up", "engine"],
    () => prepareUp(context, options),
    "configured",
  );
  requireNamespace(context, first.observation, options.createNamespace);
  await requireServed(context, first.observation, first.record?.settings);
  await requireRoomForUp(context, first);
  const moves = await agreedToMove(context, options.agreeToMove);
  await context.prepareSecrets();
  await requirePulumi(context, first);
  await ensureNamespace(context, first.observation);

  return await withLock(context.lockOptions("up"), async (lock) => {
    lock.yieldTo(wayAsked(context));
    if (moves) await moveStateIn(context);
    const prepared = await prepareUp(context, options);
    const { plan, observation } = prepared;
    for (const note of plan.notes) events({ type: "warning", ...note });
    const quiet = await context.openStack(context.signal, withoutResources(context));
    const drift = await driftOf(plan.record, observation, prepared.desired, quiet);
    const planned = async () => (await quiet.preview(prepared.desired)).changes;
    if (!options.allowLiveChange) await refuseUndoing(context, prepared, drift, planned);
    const putsBack = options.allowLiveChange && prepared.handChanges.some(isChoice);
    const place = recordedPlace(context.config, context.namespace, await context.state.place());
    const idle = putsBack || hasDrifted(drift) ? undefined : await withNothingToDo(context, prepared, quiet);
    if (idle === undefined) {
      await context.store.update((record) =>
        withoutChange(
          record,
          withStatePlace(decide(context, record, observation, prepared.versions, options).record, place),
        ),
      );
    }
    await lock.check();
    const appliedAt = clock.now();
    const applied = idle ?? (await apply(context, prepared, { drift, putsBack }));
    const applyMs = clock.now() - appliedAt;
    const live = liveSlot(plan.routing);
    const location = locationOf(context, plan.record);
    if (shouldWait(prepared, live)) await waitForSlot(context, location, live);
    const seen = await observe(location);
    const images = withImagesRun(plan.record, seen);
    const now = new Date(clock.now()).toISOString();
    await context.store.update((record) => {
      if (record === undefined) return record;
      const known = { ...withImagesRun(record, seen).record, applying: false };
      return withoutChange(record, idle === undefined ? withLive(known, carriesNow(seen), now) : known);
    });
    const proved = await proveUp(context, location, plan, seen);
    const { proof } = proved;
    const notes = [...images.notes, ...proved.notes];
    for (const note of notes) events({ type: "warning", ...note });
    return {
      live,
      routing: plan.routing,
      record: { ...images.record, applying: false },
      changes: applied.changes,
      outputs: applied.outputs,
      proof,
      notes: [...plan.notes, ...notes],
      applyMs,
      totalMs: clock.now() - startedAt,
    };
  });
}

function carriesNow({ routing }: Observation): (slot: Slot) => boolean {
  return (slot) => routing !== undefined && splitOf(routing)[slot] > 0;
}

/**
 * Looks for what Pulumi needs, and whether the names of what it would create are free.
 * @throws UserError `passphrase-wrong`, `object-taken`, … before anything was written
 */
async function requirePulumi(context: RolloutContext, { desired, record }: PreparedUp): Promise<void> {
  const known = await checkStack(context, desired.spec);
  if (known.length === 0) await warnOfOtherPlace(context, record);
  await requireNames(context, desired.spec, known);
}

/** What is only looked at is no change. */
function withoutResources({ events }: RolloutContext): EventSink {
  return (event) => {
    if (event.type !== "resource") events(event);
  };
}

/**
 * What Pulumi would do where the record says already what the configuration does; `undefined` where anything is to be done. A command
 * that does nothing leaves no trace.
 */
async function withNothingToDo(
  context: RolloutContext,
  { plan, record, desired, handovers: passed }: PreparedUp,
  stack: ModelStack,
): Promise<OperationResult | undefined> {
  const isRecorded =
    record !== undefined && !record.applying && isSame({ ...plan.record, applying: false }, record);
  if (!isRecorded || passed.length > 0) return undefined;
  if ((await requireNames(context, desired.spec, await stack.resources())).ours.length > 0) return undefined;
  const planned = await step(
    context.events,
    { id: "compare", title: "Compare the model with what is declared" },
    () => stack.preview(desired),
    ({ changes, same }) => `${changes.length} to change, ${same} unchanged`,
  );
  return planned.changes.length === 0 ? planned : undefined;
}

/** The same object where nothing differs, so that it is not written. */
function withoutChange(before: RolloutRecord | undefined, after: RolloutRecord): RolloutRecord {
  return before !== undefined && isSame(before, after) ? before : after;
}

function isSame(a: RolloutRecord, b: RolloutRecord): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function requireNamespace(context: RolloutContext, observation: Observation, create: boolean): void {
  const { namespace, kubernetesContext } = context;
  if (observation.namespaceExists || create) return;
  throw new UserError({
    code: "namespace-missing",
    message: `The namespace ${namespace} does not exist in the cluster of the context ${kubernetesContext}.`,
    hint: "Pass --create-namespace to make it, or name another one in the config file (`namespace`).",
    exitCode: exitCodes.usage,
  });
}

async function ensureNamespace(context: RolloutContext, observation: Observation): Promise<void> {
  const { namespace, api } = context;
  if (observation.namespaceExists) return;
  await step(context.events, { id: "namespace", title: `Create the namespace ${namespace}` }, async () => {
    try {
      await api.json({
        method: "POST",
        path: "/api/v1/namespaces",
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        signal: context.signal,
      });
    } catch (error) {
      if (!(error instanceof KubernetesApiError && error.status === 409)) throw error;
    }
  });
}

async function apply(
  context: RolloutContext,
  prepared: PreparedUp,
  { drift, putsBack }: { readonly drift: Drift; readonly putsBack: boolean },
) {
  const { desired, location, handovers: passed } = prepared;
  const watched = slots.filter((slot) => {
    const { image, replicas } = desired.spec.slots[slot];
    return image !== undefined && (replicas ?? 1) > 0;
  });
  return await whileWatching(context, location, watched, (watchedSignal, watchedEvents) =>
    whileIngressWaits(
      context,
      location,
      { signal: watchedSignal, events: watchedEvents },
      async (signal, events) => {
        const stack = await context.openStack(signal, events);
        if (hasDrifted(drift)) {
          // Pulumi compares with its state, not with the cluster: what was deleted or scaled down by hand has to be looked at first.
          await step(context.events, { id: "refresh", title: "Look at what was changed by hand" }, () =>
            stack.refresh(desired, drift === "everything" ? undefined : drift),
          );
        }
        await takeReplicas(context, passed);
        const applied = await step(
          context.events,
          { id: "apply", title: "Apply the model with Pulumi" },
          () => stack.up(desired, putsBack ? { putsBack: isChoice } : {}),
          ({ changes, same }) => `${changes.length} changed, ${same} unchanged`,
        );
        await giveUpReplicas(context, passed);
        return applied;
      },
    ),
  );
}

function shouldWait({ desired }: PreparedUp, live: Slot): boolean {
  const { image, replicas } = desired.spec.slots[live];
  return image !== undefined && (replicas ?? 1) > 0;
}
