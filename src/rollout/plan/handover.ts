import { type Slot, slots } from "../../core/slots.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { namesOfRecord, type RolloutRecord } from "../record/record.ts";

/** Owner of a number of replicas while it passes between Pulumi and an autoscaler. */
export const replicasManager = "modelswitch-replicas";

/** Who sets a slot's number of replicas at the moment. */
export interface SizeOwners {
  /** There is an autoscaler. */
  readonly autoscaler: boolean;
  /** A handover took the number and did not give it up. */
  readonly taken: boolean;
}

/** A slot whose number of replicas gets another owner, and the number that it keeps meanwhile. */
export interface Handover {
  readonly slot: Slot;
  readonly deployment: string;
  readonly autoscaler: string;
  readonly replicas: number;
  /** `to-autoscaler`: kept until the autoscaler changes it. `from-autoscaler`: given up once Pulumi has it. */
  readonly direction: "to-autoscaler" | "from-autoscaler";
}

/**
 * Which slots change between a fixed number of replicas and an autoscaler. Without a handover the API server would take the number that
 * nobody owns any more for 1, and the live slot would shrink to that for a moment. Judged by the cluster, not by what was
 * remembered, so that a killed command is finished by the next. Pure.
 */
export function handovers(
  wanted: RolloutRecord,
  observation: Observation,
  owners: Readonly<Partial<Record<Slot, SizeOwners>>>,
): Handover[] {
  return slots.flatMap((slot): Handover[] => {
    const present = observation.slots[slot].deployment?.desiredReplicas ?? 0;
    const own = owners[slot];
    if (own === undefined) return [];
    const names = namesOfRecord(wanted);
    const about = { slot, deployment: names.deployment[slot], autoscaler: names.autoscaler[slot] };
    const { replicas, scaling } = wanted.settings;
    const isAutoscaled = scaling?.[slot]?.autoscaling !== undefined && replicas[slot] > 0;
    if (isAutoscaled) {
      return own.autoscaler || present === 0
        ? []
        : [{ ...about, replicas: present, direction: "to-autoscaler" }];
    }
    const isLeft = own.autoscaler || own.taken;
    return isLeft && observation.slots[slot].deployment !== undefined
      ? [{ ...about, replicas: replicas[slot], direction: "from-autoscaler" }]
      : [];
  });
}

/** Asks the cluster who sizes the slots, where that may change. */
export async function sizeOwners(
  { api, namespace, signal }: Pick<RolloutContext, "api" | "namespace" | "signal">,
  before: RolloutRecord | undefined,
  after: RolloutRecord,
): Promise<Partial<Record<Slot, SizeOwners>>> {
  const scales = [before, after].some((record) =>
    slots.some((slot) => record?.settings.scaling?.[slot]?.autoscaling !== undefined),
  );
  if (before === undefined || !(scales || before.applying)) return {};
  const names = namesOfRecord(after);
  const found = await Promise.all(
    slots.map(async (slot) => {
      const [autoscaler, deployment] = await Promise.all([
        readable(api, autoscalerPath(namespace, names.autoscaler[slot]), signal),
        readable(api, deploymentPath(namespace, names.deployment[slot]), signal),
      ]);
      const managers = (deployment?.metadata?.managedFields ?? []) as readonly {
        readonly manager?: string;
      }[];
      const taken = managers.some(({ manager }) => manager === replicasManager);
      return [slot, { autoscaler: autoscaler !== undefined, taken }] as const;
    }),
  );
  return Object.fromEntries(found);
}

async function readable(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  try {
    return await api.find(path, { signal });
  } catch (error) {
    // Whoever may not look at autoscalers has none of ours.
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}

/** Takes the numbers of replicas before Pulumi writes. An autoscaler that is to go goes first: it would set its own number again. */
export async function takeReplicas(context: RolloutContext, all: readonly Handover[]): Promise<void> {
  for (const { deployment, autoscaler, replicas, direction } of all) {
    if (direction === "from-autoscaler") {
      await context.api.request({ method: "DELETE", path: autoscalerPath(context.namespace, autoscaler) });
    }
    await apply(context, deployment, { spec: { replicas } });
  }
}

/** Gives up what Pulumi owns now. */
export async function giveUpReplicas(context: RolloutContext, all: readonly Handover[]): Promise<void> {
  for (const { deployment, direction } of all)
    if (direction === "from-autoscaler") await apply(context, deployment, {});
}

async function apply({ api, namespace }: RolloutContext, name: string, fields: object): Promise<void> {
  await api.json({
    method: "PATCH",
    path: deploymentPath(namespace, name),
    query: { fieldManager: replicasManager, force: true },
    body: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, ...fields },
  });
}

function deploymentPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

function autoscalerPath(namespace: string, name: string): string {
  return `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`;
}
