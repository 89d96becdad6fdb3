import { routerNamed } from "../../component/routers/factory.ts";
import { UserError } from "../../core/errors.ts";
import { settledOn, splitOf } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import type { ResourceChange } from "../../engine/stack.ts";
import { refuseUnfinished } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withPermissions } from "../context/permissions.ts";
import type { Lock } from "../lock/held-lock.ts";
import { withLock } from "../lock/lock.ts";
import type { Observation } from "../observe/observation.ts";
import { observe } from "../observe/observe.ts";
import { modelSpec } from "../plan/desired.ts";
import { checkStack, requireStack } from "../plan/require-stack.ts";
import type { Desired } from "../program/model-program.ts";
import type { RolloutRecord } from "../record/record.ts";
import { wayAsked } from "../release/way-asked.ts";

export interface Loss {
  /** What goes away, line by line. */
  readonly lines: readonly string[];
  readonly question: string;
}

/** What destroying the model would take away. */
export async function describeLoss(context: RolloutContext): Promise<Loss> {
  const { config, namespace, kubernetesContext } = context;
  const { record, observation } = await withPermissions(context, ["destroy", "engine"], async () => {
    const found = await readableRecord(context);
    refuseOtherEnvironment(context, found);
    refuseUnfinished(found);
    return { record: found, observation: await observe(locationOf(context, found)) };
  });
  const split = observation.routing === undefined ? undefined : splitOf(observation.routing);
  // Of a model that has moved to a router of other objects nothing can be given back any more.
  const adopted =
    record !== undefined && routerNamed(record.settings.router).byIngressClass ? record.adoption : undefined;
  const lines = slots.flatMap((slot) => {
    const { service, deployment, endpoints } = observation.slots[slot];
    if (service === undefined && deployment === undefined) return [];
    const what =
      deployment === undefined
        ? "its Service (the pods are yours and stay)"
        : `${endpoints.ready.length} ready ${endpoints.ready.length === 1 ? "replica" : "replicas"} of ${deployment.image ?? "an image"}`;
    return [`${slot}: ${what}, ${split?.[slot] ?? 0} % of the traffic`];
  });
  const live = slots.filter(
    (slot) => (split?.[slot] ?? 0) > 0 && observation.slots[slot].endpoints.ready.length > 0,
  );
  const where = `${config.name} in ${namespace} (context ${kubernetesContext})`;
  return {
    lines: [
      ...lines,
      ...(adopted === undefined
        ? []
        : [
            `${adopted.slot} was adopted: \`modelswitch adopt --undo\` would give Deployment ${adopted.deployment.name}, Service ${adopted.service.name} and Ingress ${adopted.ingress.name} back instead of deleting them`,
          ]),
    ],
    question:
      live.length > 0
        ? `This deletes ${where}, which serves live traffic for ${config.ingress.host} from ${live.join(" and ")}.`
        : `This deletes ${where}.`,
  };
}

/** A record that cannot be read is no reason to keep the model. */
async function readableRecord({ store }: RolloutContext): Promise<RolloutRecord | undefined> {
  return await store.read().catch((error: unknown) => {
    if (error instanceof UserError && error.code === "record-invalid") return undefined;
    throw error;
  });
}

/**
 * What the model is declared as, where its state is in the cluster: no other machine has one, so what it does not know (somebody's command was
 * killed, or the Secret is lost) is taken into it to be deleted.
 */
async function lastDesired(
  context: RolloutContext,
  record: RolloutRecord,
  { routing }: Observation,
): Promise<Desired | undefined> {
  const place = await context.state.place();
  if (place.kind !== "cluster" || (place.stored === undefined && !place.kept.isRecorded)) return undefined;
  return { spec: modelSpec(record, context.namespace), routing: routing ?? settledOn("blue") };
}

export interface DestroyResult {
  readonly changes: readonly ResourceChange[];
  readonly recordDeleted: boolean;
  /** Whether the state in the cluster went, too. */
  readonly stateRemoved: boolean;
}

/** Deletes the model's resources through Pulumi, then the record. */
export async function destroyModel(
  context: RolloutContext,
  options: { readonly removeStack: boolean },
): Promise<DestroyResult> {
  const { namespace, api } = context;
  await context.prepareSecrets();
  const record = await readableRecord(context);
  const observation = await observe(locationOf(context, record));
  const desired = record === undefined ? undefined : await lastDesired(context, record, observation);
  // Without its state Pulumi would delete nothing, and only the record would be gone.
  if (desired === undefined) await requireStack(context, observation);
  else await checkStack(context, desired.spec);
  const work = async (lock?: Lock) => {
    const stack = await context.openStack(context.signal);
    await lock?.close("it is being destroyed");
    const { changes } = await stack.destroy({
      remove: options.removeStack,
      ...(desired === undefined ? {} : { desired }),
    });
    const recordDeleted = await context.store.delete();
    // The last thing that goes: killed before, the next `destroy` still knows what there is.
    const stateRemoved = await stack.removeState();
    return { changes, recordDeleted, stateRemoved };
  };
  // In a namespace that is gone there is nothing to lock; the state may still have to be emptied.
  const exists = await api.find(`/api/v1/namespaces/${namespace}`).catch(() => ({}));
  if (exists === undefined) return await work();
  // The lock goes with its Lease; one that is there afterwards is somebody else's.
  return await withLock(context.lockOptions("destroy"), async (lock) => {
    lock.yieldTo(wayAsked(context));
    return await work(lock);
  });
}
