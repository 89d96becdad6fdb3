import type { IngressManifest } from "../../component/routers/router.ts";
import { type Routing, sameRouting } from "../../core/routing.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import { appliers, ownedBy } from "../../kubernetes/owned-fields.ts";
import { observeRouting } from "../observe.ts";
import type { Traffic } from "../traffic.ts";

/**
 * Moves traffic by one request to the API server, for a way back that cannot wait for Pulumi: the complete set of what Pulumi's
 * field manager applied, with the annotations of one routing object changed, under the same field manager. Pulumi's state follows
 * with the next write of the rollout. Returns whether it was written; where it cannot be done this way, nothing was.
 */
export async function fastWrite(traffic: Traffic, before: Routing, after: Routing): Promise<boolean> {
  const { context, location } = traffic;
  const change = annotationChange(traffic, before, after);
  if (change === undefined) return false;
  const path = `/apis/networking.k8s.io/v1/namespaces/${context.namespace}/ingresses/${change.name}`;
  const live = await context.api.find<KubernetesObject>(path, { signal: unstoppable });
  const [owner, ...others] = live === undefined ? [] : appliers(live);
  if (live === undefined || owner?.manager === undefined || others.length > 0) return false;
  const owned = ownedBy(live, owner);
  if (owned === undefined) return false;
  const annotations = { ...owned.metadata?.annotations, ...change.annotations };
  try {
    await context.api.json({
      method: "PATCH",
      path,
      query: { fieldManager: owner.manager, force: false },
      body: { ...owned, metadata: { ...owned.metadata, annotations } },
      signal: unstoppable,
    });
  } catch (error) {
    // Another owner, or a server that takes no apply: Pulumi says what is wrong.
    if (error instanceof KubernetesApiError && [405, 409, 415].includes(error.status)) return false;
    throw error;
  }
  const { routing } = await observeRouting({ ...location, signal: unstoppable });
  return routing !== undefined && sameRouting(routing, after);
}

/** The annotations of the one object that changes; `undefined` where more changes than that. */
function annotationChange(
  { spec, location }: Traffic,
  before: Routing,
  after: Routing,
): { readonly name: string; readonly annotations: Readonly<Record<string, string>> } | undefined {
  const objects = (routing: Routing) =>
    location.router.objects({
      model: spec.name,
      ...(location.names === undefined ? {} : { names: location.names }),
      namespace: spec.namespace,
      routing,
      ingress: spec.ingress,
      previewHeader: spec.previewHeader,
      servicePort: spec.servicePort,
    });
  const was = objects(before);
  const changed = objects(after).filter((object, index) => !same(object, was[index]));
  const [one, ...rest] = changed;
  if (one === undefined || rest.length > 0) return undefined;
  const former = was.find(({ metadata }) => metadata.name === one.metadata.name);
  if (former === undefined || !same(former.spec, one.spec)) return undefined;
  const keys = Object.keys(former.metadata.annotations);
  // A key that goes away would have to be left out of what is applied.
  if (keys.some((key) => one.metadata.annotations[key] === undefined)) return undefined;
  return { name: one.metadata.name, annotations: changedEntries(former, one) };
}

function changedEntries(former: IngressManifest, next: IngressManifest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(next.metadata.annotations).filter(
      ([key, value]) => former.metadata.annotations[key] !== value,
    ),
  );
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
