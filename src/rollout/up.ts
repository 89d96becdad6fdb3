import { exitCodes, UserError } from "../core/errors.ts";
import { step } from "../core/events.ts";
import { liveSlot, type Routing } from "../core/routing.ts";
import { type Slot, slots } from "../core/slots.ts";
import type { ResourceChange } from "../engine/stack.ts";
import { KubernetesApiError } from "../kubernetes/api.ts";
import type { RolloutContext } from "./context.ts";
import { giveUpReplicas, takeReplicas } from "./handover.ts";
import { withImagesRun } from "./images-run.ts";
import { withLock } from "./lock.ts";
import type { Observation } from "./observation.ts";
import { observe } from "./observe.ts";
import { withPermissions } from "./permissions.ts";
import type { Note } from "./plan-input.ts";
import { decide, type PreparedUp, prepareUp, type UpOptions } from "./prepare-up.ts";
import type { Desired, ModelStack } from "./program.ts";
import { proveUp, type UpProof } from "./prove-up.ts";
import type { RolloutRecord } from "./record.ts";
import { waitForSlot, whileWatching } from "./slot-wait.ts";
import { locationOf } from "./subject.ts";

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
  const first = await withPermissions(context, ["up"], () => prepareUp(context, options));
  await context.prepareSecrets();
  await context.prepareEngine();
  await ensureNamespace(context, first.observation, options.createNamespace);

  return await withLock(context.lockOptions("up"), async (lock) => {
    const prepared = await prepareUp(context, options);
    const { plan, observation } = prepared;
    for (const note of plan.notes) events({ type: "warning", ...note });
    await context.store.update((record) =>
      withoutChange(record, decide(context, record, observation, prepared.versions, options).record),
    );
    await lock.check();
    const appliedAt = clock.now();
    const applied = await apply(context, prepared);
    const applyMs = clock.now() - appliedAt;
    const live = liveSlot(plan.routing);
    const location = locationOf(context, plan.record);
    if (shouldWait(prepared, live)) await waitForSlot(context, location, live);
    const seen = await observe(location);
    const images = withImagesRun(plan.record, seen);
    await context.store.update(
      (record) => record && withoutChange(record, { ...withImagesRun(record, seen).record, applying: false }),
    );
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

/** The same object where nothing differs, so that it is not written. */
function withoutChange(before: RolloutRecord | undefined, after: RolloutRecord): RolloutRecord {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}

async function ensureNamespace(
  context: RolloutContext,
  observation: Observation,
  create: boolean,
): Promise<void> {
  const { namespace, api, kubernetesContext } = context;
  if (observation.namespaceExists) return;
  if (!create) {
    throw new UserError({
      code: "namespace-missing",
      message: `The namespace ${namespace} does not exist in the cluster of the context ${kubernetesContext}.`,
      hint: "Pass --create-namespace to make it, or name another one in the config file (`namespace`).",
      exitCode: exitCodes.usage,
    });
  }
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

async function apply(context: RolloutContext, prepared: PreparedUp) {
  const { plan, observation, desired, location, handovers: passed } = prepared;
  const watched = slots.filter((slot) => {
    const { image, replicas } = desired.spec.slots[slot];
    return image !== undefined && (replicas ?? 1) > 0;
  });
  return await whileWatching(context, location, watched, async (signal, events) => {
    const stack = await context.openStack(signal, events);
    if (await hasDrifted(plan.record, observation, desired, stack)) {
      // Pulumi compares with its state, not with the cluster: what was deleted or scaled down by hand has to be looked at first.
      await step(context.events, { id: "refresh", title: "Look at what was changed by hand" }, () =>
        stack.refresh(desired),
      );
    }
    await takeReplicas(context, passed);
    const applied = await step(
      context.events,
      { id: "apply", title: "Apply the model with Pulumi" },
      () => stack.up(desired),
      ({ changes, same }) => `${changes.length} changed, ${same} unchanged`,
    );
    await giveUpReplicas(context, passed);
    return applied;
  });
}

/** Whether something that was there before is gone or scaled to nothing. */
async function hasDrifted(
  record: RolloutRecord,
  observation: Observation,
  { spec }: Desired,
  stack: Pick<ModelStack, "hasState">,
): Promise<boolean> {
  if (
    observation.ingress === undefined &&
    slots.every((slot) => observation.slots[slot].service === undefined)
  ) {
    // Nothing is there and nothing was: the first `up`. With a state, the namespace or the whole cluster was made anew.
    return record.history.length > 0 || (await stack.hasState());
  }
  return (
    observation.ingress === undefined ||
    slots.some((slot) => {
      const { service, deployment } = observation.slots[slot];
      if (service === undefined) return true;
      if (spec.slots[slot].image === undefined) return false;
      return (
        deployment === undefined || (deployment.desiredReplicas === 0 && record.settings.replicas[slot] > 0)
      );
    })
  );
}

function shouldWait({ desired }: PreparedUp, live: Slot): boolean {
  const { image, replicas } = desired.spec.slots[live];
  return image !== undefined && (replicas ?? 1) > 0;
}
