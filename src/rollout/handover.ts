import { objectNames } from "../core/names.ts";
import { type Slot, slots } from "../core/slots.ts";
import type { RolloutContext } from "./context.ts";
import type { Observation } from "./observation.ts";
import type { RolloutRecord } from "./record.ts";

/** Owner of a number of replicas while it passes between Pulumi and an autoscaler. */
const fieldManager = "modelswitch-replicas";

/** A slot whose number of replicas gets another owner, and the number that it keeps meanwhile. */
export interface Handover {
  readonly slot: Slot;
  readonly replicas: number;
  /** `to-autoscaler`: kept until the autoscaler changes it. `from-autoscaler`: given up once Pulumi has it. */
  readonly direction: "to-autoscaler" | "from-autoscaler";
}

/**
 * Which slots change between a fixed number of replicas and an autoscaler. Without a handover the API server would take the number that
 * nobody owns any more for 1, and the live slot would shrink to that for a moment. Pure.
 */
export function handovers(
  before: RolloutRecord | undefined,
  after: RolloutRecord,
  observation: Observation,
): Handover[] {
  if (before === undefined) return [];
  return slots.flatMap((slot): Handover[] => {
    const present = observation.slots[slot].deployment?.desiredReplicas ?? 0;
    const was = before.settings.scaling?.[slot]?.autoscaling !== undefined && before.settings.replicas[slot] > 0;
    const is = after.settings.scaling?.[slot]?.autoscaling !== undefined && after.settings.replicas[slot] > 0;
    if (was === is || present === 0) return [];
    return is
      ? [{ slot, replicas: present, direction: "to-autoscaler" }]
      : [{ slot, replicas: after.settings.replicas[slot], direction: "from-autoscaler" }];
  });
}

/** Takes the numbers of replicas before Pulumi writes. */
export async function takeReplicas(context: RolloutContext, all: readonly Handover[]): Promise<void> {
  for (const { slot, replicas } of all) await apply(context, slot, { spec: { replicas } });
}

/** Gives up what Pulumi owns now. */
export async function giveUpReplicas(context: RolloutContext, all: readonly Handover[]): Promise<void> {
  for (const { slot, direction } of all) if (direction === "from-autoscaler") await apply(context, slot, {});
}

async function apply({ api, namespace, config }: RolloutContext, slot: Slot, fields: object): Promise<void> {
  const name = objectNames(config.name).slot[slot];
  await api.json({
    method: "PATCH",
    path: `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
    query: { fieldManager, force: true },
    body: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, ...fields },
  });
}
