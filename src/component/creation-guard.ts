import { UserError } from "../core/errors.ts";
import { claimsOf, describeClaim } from "../core/ingress-claims.ts";
import { splitOf } from "../core/routing.ts";
import { otherSlot, type Slot } from "../core/slots.ts";
import type { KubernetesApi, KubernetesObject } from "../kubernetes/api.ts";
import { seeIngresses } from "../kubernetes/ingresses.ts";
import type { ObservedObject } from "./routers/router.ts";
import { type GuardedModel, namesOf, routingObjects } from "./switch-guard.ts";

/**
 * Refuses a new Ingress for hosts and paths that another one has: the controller would choose between the two, and mostly not as anybody
 * expects. Where this account may not list the Ingresses of the cluster, those of the namespace are looked at.
 * @throws UserError `host-taken`
 */
export async function refuseTakenHost(
  api: KubernetesApi,
  guarded: GuardedModel,
  written: ObservedObject,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, router } = guarded;
  const [kind] = router.kinds;
  const { objects } = await seeIngresses(api, kind, namespace, signal);
  const { metadata, spec } = router.claim(written);
  const own = { namespace, names: router.refs(namesOf(guarded)).map(({ name }) => name) };
  const className = spec?.ingressClassName ?? metadata?.annotations?.["kubernetes.io/ingress.class"] ?? "";
  const claims = objects.map((object) => router.claim(object));
  const taken = (spec?.rules ?? []).flatMap(({ host = "", http }) => {
    const paths = (http?.paths ?? []).map(({ path = "/", pathType = "Prefix" }) => ({ path, pathType }));
    return claimsOf(claims, { host, paths, className, own }).filter(({ relation }) => relation === "same");
  });
  if (taken.length === 0) return;
  throw new UserError({
    code: "host-taken",
    message: `Refused to create the ${kind.kind} ${namespace}/${written.metadata?.name} of "${guarded.model}": ${[...new Set(taken.map(describeClaim))].join("; ")} already, and the controller would choose between the two.`,
    hint: `Choose another host or path, or take it from the other ${kind.kind} first; guard: false goes without this check.`,
    details: { taken },
  });
}

/**
 * Refuses an update that leaves out the Deployment of a slot which carries traffic, or is to: Pulumi would delete it.
 * @throws UserError `live-slot-removed`
 */
export async function refuseRemovedSlot(
  api: KubernetesApi,
  guarded: GuardedModel,
  slot: Slot,
  /** Whether the program gives the slot traffic. */
  isDeclaredLive: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const { model, namespace, router } = guarded;
  const names = namesOf(guarded);
  const name = names.deployment[slot];
  const found = await api.find<KubernetesObject>(
    `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
    signal === undefined ? {} : { signal },
  );
  const labels = found?.metadata?.labels ?? {};
  // Pods that somebody else runs may be made by a Deployment of this name, which nobody here deletes.
  const isOurs =
    labels["app.kubernetes.io/managed-by"] === "modelswitch" &&
    labels["app.kubernetes.io/instance"] === model;
  if (!isOurs) return;
  const routing = router.read(names, await routingObjects(api, guarded, signal));
  const share = routing === undefined ? 0 : splitOf(routing)[slot];
  if (share === 0 && !isDeclaredLive) return;
  const why = share > 0 ? `carries ${share} % of the traffic` : "is to carry the traffic";
  throw new UserError({
    code: "live-slot-removed",
    message: `Refused to delete the Deployment ${name}: slots.${slot} has no image any more, and ${slot} ${why} of "${model}".`,
    hint: `Switch to ${otherSlot(slot)} first, in an update of its own, and leave the image out afterwards; guard: false goes without this check. To remove the whole model, take it out of the program, or run \`pulumi destroy\`.`,
    details: { slot, share },
  });
}

/**
 * Refuses to make the slot that gets the traffic without replicas.
 * @throws UserError `live-slot-empty`
 */
export function refuseEmptyLiveSlot(model: string, deployment: string, slot: Slot): void {
  throw new UserError({
    code: "live-slot-empty",
    message: `Refused to create ${deployment} with 0 replicas: ${slot} is to carry the traffic of "${model}".`,
    hint: `Give slots.${slot} replicas, or let ${otherSlot(slot)} be live; guard: false goes without this check.`,
    details: { slot },
  });
}
