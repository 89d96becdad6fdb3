import { step } from "../../core/events.ts";
import type { Slot } from "../../core/slots.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import { applyOwned } from "../../kubernetes/owned-fields.ts";
import { locationOf } from "../context/deployed.ts";
import { modelSpec } from "../plan/desired.ts";
import { giveUpReplicas, handovers, replicasManager, sizeOwners } from "../plan/handover.ts";
import { namesOfRecord } from "../record/record.ts";
import { followRouting } from "../traffic/routing-write.ts";
import type { Acting } from "./step-context.ts";

/**
 * Enlarges a slot that runs what it should, by the API server alone: the number of its replicas, and the fewest that its autoscaler
 * makes. What was written is noted as unfinished, so that Pulumi's state follows.
 */
export async function grow(acting: Acting, slot: Slot, replicas: number): Promise<void> {
  const { context, record } = acting;
  const { deployment, autoscaler } = namesOfRecord(record);
  await step(context.events, { id: `grow-${slot}`, title: `Enlarge ${slot} to ${replicas}` }, async () => {
    await context.store.update(
      (present) =>
        present && {
          ...present,
          settings: { ...present.settings, replicas: { ...present.settings.replicas, [slot]: replicas } },
          applying: true,
        },
    );
    const of = (group: string, kind: string, name: string) =>
      `/apis/${group}/namespaces/${context.namespace}/${kind}/${name}`;
    if (record.settings.scaling?.[slot]?.autoscaling !== undefined) {
      const path = of("autoscaling/v2", "horizontalpodautoscalers", autoscaler[slot]);
      await raiseMinimum(context.api, path, replicas);
    }
    await context.api.json({
      method: "PATCH",
      path: of("apps/v1", "deployments", deployment[slot]),
      query: { fieldManager: replicasManager, force: true },
      body: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: deployment[slot] },
        spec: { replicas },
      },
      signal: unstoppable,
    });
  });
}

/** Without an autoscaler there is nothing to raise: an empty slot has none. */
async function raiseMinimum(api: KubernetesApi, path: string, replicas: number): Promise<void> {
  const live = await api.find<KubernetesObject>(path, { signal: unstoppable });
  if (live === undefined) return;
  const change = (owned: KubernetesObject | undefined): KubernetesObject => ({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...(live.metadata?.name === undefined ? {} : { name: live.metadata.name }) },
    ...owned,
    spec: { ...(owned?.spec as object | undefined), minReplicas: replicas },
  });
  try {
    await applyOwned(api, { path, live, manager: replicasManager, change, signal: unstoppable });
  } catch (error) {
    // The number of replicas itself is written all the same; who may not touch autoscalers has none of ours.
    if (!(error instanceof KubernetesApiError && error.status === 403)) throw error;
  }
}

/** Lets Pulumi's state have what was written past it, the numbers of replicas among it. */
export async function follow(acting: Acting): Promise<void> {
  const { context, routing, observation } = acting;
  const record = await context.store.read();
  if (record === undefined) return;
  await step(context.events, { id: "follow", title: "Bring Pulumi's state up to the cluster" }, async () => {
    const passed = handovers(record, observation, await sizeOwners(context, record, record));
    await acting.lock.check();
    const place = { context, location: locationOf(context, record), stack: acting.stack };
    await followRouting({ ...place, spec: modelSpec(record, context.namespace) }, routing);
    await giveUpReplicas(context, passed);
    await context.store.update((present) => present && { ...present, applying: false });
  });
}
