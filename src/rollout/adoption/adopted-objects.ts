import { UserError } from "../../core/errors.ts";
import type { KubernetesApi, KubernetesObject } from "../../kubernetes/api.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { PatchOperation } from "../../kubernetes/json-patch.ts";
import { restartsOf } from "../../slots/containers.ts";
import type { PodObject } from "../../slots/kubernetes-objects.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Adoption, FoundObject } from "../record/adoption.ts";
import type { RolloutRecord } from "../record/record.ts";
import { declaredOwners } from "./field-owners.ts";

export type AdoptedKind = "deployment" | "service" | "ingress" | "autoscaler";

/** What was found: whether there is an autoscaler differs. */
export function adoptedKinds(adoption: Adoption): readonly AdoptedKind[] {
  return [
    "ingress",
    "service",
    "deployment",
    ...(adoption.autoscaler === undefined ? [] : (["autoscaler"] as const)),
  ];
}

/** As Kubernetes names them. */
export const kindNames: Readonly<Record<AdoptedKind, string>> = {
  deployment: "Deployment",
  service: "Service",
  ingress: "Ingress",
  autoscaler: "HorizontalPodAutoscaler",
};

/** How an object of an adoption was found. */
export function foundOf(adoption: Adoption, kind: AdoptedKind): FoundObject {
  const found = adoption[kind];
  if (found === undefined) throw new Error(`The adoption has no ${kindNames[kind]}.`);
  return found;
}

const paths: Readonly<Record<AdoptedKind, (namespace: string, name: string) => string>> = {
  deployment: (namespace, name) => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
  service: (namespace, name) => `/api/v1/namespaces/${namespace}/services/${name}`,
  ingress: (namespace, name) => `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`,
  autoscaler: (namespace, name) =>
    `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`,
};

/** Where the API server keeps an adopted object. */
export function adoptedPath(namespace: string, adoption: Adoption, kind: AdoptedKind): string {
  return paths[kind](namespace, foundOf(adoption, kind).name);
}

/** How an object was, to be given back so. */
export function foundObject(object: KubernetesObject): FoundObject {
  const { name = "", uid = "", labels = {}, annotations = {} } = object.metadata ?? {};
  return { name, uid, labels, annotations, managedFields: declaredOwners(object) };
}

interface Place {
  readonly api: KubernetesApi;
  readonly namespace: string;
}

/** Reads an adopted object; `undefined` when it is gone, or another one of its name. */
export async function adoptedObject(
  { api, namespace }: Place,
  adoption: Adoption,
  kind: AdoptedKind,
): Promise<KubernetesObject | undefined> {
  const object = await api.find(adoptedPath(namespace, adoption, kind));
  return object?.metadata?.uid === foundOf(adoption, kind).uid ? object : undefined;
}

const attempts = 5;

/** Writes what `change` makes of an adopted object; when somebody else wrote in between, reads it again and asks again. */
export async function patchAdopted(
  place: Place,
  adoption: Adoption,
  kind: AdoptedKind,
  change: (object: KubernetesObject) => readonly PatchOperation[] | undefined,
): Promise<void> {
  const { api, namespace } = place;
  const { name } = foundOf(adoption, kind);
  for (let attempt = 1; ; attempt++) {
    const object = await adoptedObject(place, adoption, kind);
    if (object === undefined) {
      throw new UserError({
        code: "adoption-refused",
        message: `The ${kindNames[kind]} ${name} in ${namespace} is not the one that was found at ${adoption.at}: it was deleted, or made anew.`,
        hint: "Make it as you want it, delete the ConfigMap that holds the rollout record, and begin again with `modelswitch init --from`.",
      });
    }
    const body = change(object);
    if (body === undefined) return;
    try {
      await api.json({
        method: "PATCH",
        path: paths[kind](namespace, name),
        query: { fieldManager: "modelswitch" },
        contentType: "application/json-patch+json",
        body,
      });
      return;
    } catch (error) {
      // Controllers write the status all the time.
      if (!(error instanceof KubernetesApiError && error.status === 409) || attempt === attempts) throw error;
    }
  }
}

/**
 * Asks the API server, without writing, whether declaring the Deployment as it is would change its pods.
 * @throws KubernetesApiError where it cannot be declared at all
 */
export async function wouldRoll({ api, namespace }: Place, deployment: KubernetesObject): Promise<boolean> {
  const { name = "", labels = {} } = deployment.metadata ?? {};
  const answer = await api.json<KubernetesObject>({
    method: "PATCH",
    path: paths.deployment(namespace, name),
    query: { fieldManager: "modelswitch-check", force: true, dryRun: "All" },
    body: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, labels },
      spec: deployment.spec,
    },
  });
  return answer.metadata?.generation !== deployment.metadata?.generation;
}

/** What tells one run of a pod from another. */
export function podRuns(pods: readonly PodObject[]): string[] {
  return pods
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map((pod) => `${pod.metadata?.name} ${pod.metadata?.uid} ${restartsOf(pod)}`)
    .toSorted();
}

/** The pods of the adopted slot, each with its restarts. */
export async function podsOf(context: RolloutContext, record: RolloutRecord): Promise<string[]> {
  const slot = record.adoption?.slot ?? "blue";
  const selector = record.settings.selectors[slot] ?? {};
  const { items = [] } = await context.api.json<{ readonly items?: readonly PodObject[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${context.namespace}/pods`,
    query: {
      labelSelector: Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    },
    signal: context.signal,
  });
  return podRuns(items);
}
