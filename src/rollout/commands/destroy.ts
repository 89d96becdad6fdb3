import { UserError } from "../../core/errors.ts";
import { splitOf } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import type { ResourceChange } from "../../engine/stack.ts";
import { refuseUnfinished } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withPermissions } from "../context/permissions.ts";
import type { Lock } from "../lock/held-lock.ts";
import { withLock } from "../lock/lock.ts";
import { observe } from "../observe/observe.ts";
import { requireStack } from "../plan/require-stack.ts";
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
  const adopted = record?.adoption;
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

export interface DestroyResult {
  readonly changes: readonly ResourceChange[];
  readonly recordDeleted: boolean;
}

/** Deletes the model's resources through Pulumi, then the record. */
export async function destroyModel(
  context: RolloutContext,
  options: { readonly removeStack: boolean },
): Promise<DestroyResult> {
  const { namespace, api } = context;
  await context.prepareSecrets();
  const record = await readableRecord(context);
  // Without its state Pulumi would delete nothing, and only the record would be gone.
  await requireStack(context, await observe(locationOf(context, record)));
  const work = async (lock?: Lock) => {
    const stack = await context.openStack(context.signal);
    await lock?.close("it is being destroyed");
    const { changes } = await stack.destroy({ remove: options.removeStack });
    return { changes, recordDeleted: await context.store.delete() };
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
