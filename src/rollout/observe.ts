import { markAnnotation, modelContainer, releaseLabel } from "../component/deployment.ts";
import type { ObservedIngress, Router } from "../component/routers/router.ts";
import { type ObjectNames, objectNames } from "../core/names.ts";
import type { Routing } from "../core/routing.ts";
import type { Slot } from "../core/slots.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { Lists } from "../kubernetes/lists.ts";
import type {
  ContainerObject,
  DeploymentObject,
  EndpointSliceObject,
  IngressObject,
  PodObject,
  ServiceObject,
} from "./kubernetes-objects.ts";
import type {
  DeploymentObservation,
  EndpointsObservation,
  IngressObservation,
  Observation,
  PodObservation,
  SlotObservation,
} from "./observation.ts";
import { describeEnd, podProblem } from "./pod-problems.ts";

export interface ModelLocation {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly model: string;
  /** @default those that derive from the model's name */
  readonly names?: ObjectNames;
  readonly router: Router;
  /** What the answers of pods without a note of it have, where their release says it. @default none */
  readonly marks?: Readonly<Partial<Record<Slot, string>>>;
  /** What lists were read so far. @default none */
  readonly lists?: Lists;
  readonly signal?: AbortSignal | undefined;
}

export function namesAt({ model, names }: Pick<ModelLocation, "model" | "names">): ObjectNames {
  return names ?? objectNames(model);
}

/** Reads everything about one model. The live slot is what the routing objects say, never what was remembered. */
export async function observe(location: ModelLocation): Promise<Observation> {
  const { api, namespace, signal } = location;
  const [namespaceObject, routing, blue, green] = await Promise.all([
    api.find(`/api/v1/namespaces/${namespace}`, signal === undefined ? {} : { signal }).catch((error) => {
      // People who may only touch their own namespace often may not read the Namespace object itself.
      if (error instanceof Error && "status" in error && error.status === 403) return {};
      throw error;
    }),
    observeRouting(location),
    observeSlot(location, "blue"),
    observeSlot(location, "green"),
  ]);
  return {
    namespaceExists: namespaceObject !== undefined,
    routing: routing.routing,
    ingress: routing.ingress,
    slots: { blue, green },
  };
}

/** Reads only the routing objects. */
export async function observeRouting(
  location: ModelLocation,
): Promise<{ routing: Routing | undefined; ingress: IngressObservation | undefined }> {
  const { api, namespace, signal } = location;
  const names = namesAt(location);
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`;
  const options = signal === undefined ? {} : { signal };
  const found = await Promise.all(
    location.router.objectNames(names).map((name) => api.find<IngressObject>(`${path}/${name}`, options)),
  );
  const [main] = found;
  if (main === undefined) return { routing: undefined, ingress: undefined };
  const objects = found.filter((object) => object !== undefined);
  return {
    routing: location.router.read(names, objects as readonly ObservedIngress[]),
    ingress: ingressObservation(main),
  };
}

function ingressObservation(ingress: IngressObject): IngressObservation {
  const tlsHosts = (ingress.spec?.tls ?? []).flatMap((entry) =>
    entry.hosts === undefined || entry.hosts.length === 0 ? ["*"] : entry.hosts,
  );
  const addresses = (ingress.status?.loadBalancer?.ingress ?? [])
    .map((entry) => entry.ip ?? entry.hostname)
    .filter((address) => address !== undefined && address !== "");
  return {
    name: ingress.metadata?.name ?? "",
    className:
      ingress.spec?.ingressClassName ?? ingress.metadata?.annotations?.["kubernetes.io/ingress.class"],
    tlsHosts,
    addresses: addresses as string[],
  };
}

/** The same place, of which lists are read as the newest there is: what was seen before says nothing. */
export function newest(location: ModelLocation): ModelLocation {
  return { ...location, lists: new Lists(location.api) };
}

/** Reads one slot: its Deployment, Service, endpoints and pods. */
export async function observeSlot(location: ModelLocation, slot: Slot): Promise<SlotObservation> {
  const { api, namespace, signal, lists = new Lists(api) } = location;
  const names = namesAt(location);
  const name = names.service[slot];
  const options = signal === undefined ? {} : { signal };
  const [deployment, service, slices] = await Promise.all([
    api.find<DeploymentObject>(
      `/apis/apps/v1/namespaces/${namespace}/deployments/${names.deployment[slot]}`,
      options,
    ),
    api.find<ServiceObject>(`/api/v1/namespaces/${namespace}/services/${name}`, options),
    lists.find<EndpointSliceObject>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      ...options,
      labelSelector: `kubernetes.io/service-name=${name}`,
    }),
  ]);
  const selector = service?.spec?.selector ?? {};
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  // Without a selector the list would be every pod of the namespace.
  const pods =
    labelSelector === ""
      ? undefined
      : await lists.find<PodObject>(`/api/v1/namespaces/${namespace}/pods`, { ...options, labelSelector });
  const podObjects = pods?.items ?? [];
  return {
    slot,
    service: service === undefined ? undefined : { name, selector },
    deployment: deployment === undefined ? undefined : deploymentObservation(deployment),
    endpoints: endpointsObservation(slices?.items ?? [], podObjects),
    pods: podObservations(
      podObjects,
      deployment?.spec?.template?.spec?.containers ?? [],
      location.marks?.[slot],
    ),
  };
}

function deploymentObservation(deployment: DeploymentObject): DeploymentObservation {
  const release = Number(deployment.metadata?.labels?.[releaseLabel]);
  const failure = deployment.status?.conditions?.find(
    (condition) => condition.type === "ReplicaFailure" && condition.status === "True",
  );
  return {
    name: deployment.metadata?.name ?? "",
    image: deployment.spec?.template?.spec?.containers?.[0]?.image,
    release: Number.isInteger(release) ? release : undefined,
    generation: deployment.metadata?.generation ?? 0,
    observedGeneration: deployment.status?.observedGeneration ?? 0,
    desiredReplicas: deployment.spec?.replicas ?? 1,
    replicas: deployment.status?.replicas ?? 0,
    updatedReplicas: deployment.status?.updatedReplicas ?? 0,
    readyReplicas: deployment.status?.readyReplicas ?? 0,
    replicaFailure: failure?.message,
  };
}

function endpointsObservation(
  slices: readonly EndpointSliceObject[],
  pods: readonly PodObject[],
): EndpointsObservation {
  const leaving = new Set(
    pods.filter((pod) => pod.metadata?.deletionTimestamp !== undefined).map((pod) => pod.metadata?.name),
  );
  // Dual-stack Services have one slice per address family: a pod counts once.
  const ready = new Map<string, { address: string; pod: string | undefined }>();
  const notReady = new Set<string>();
  const terminating = new Set<string>();
  for (const endpoint of slices.flatMap((slice) => slice.endpoints ?? [])) {
    const pod = endpoint.targetRef?.kind === "Pod" ? endpoint.targetRef.name : undefined;
    const address = endpoint.addresses?.[0] ?? "";
    const key = endpoint.targetRef?.uid ?? pod ?? address;
    if (endpoint.conditions?.terminating === true || leaving.has(pod)) terminating.add(key);
    // The API says: an endpoint without the condition is to be taken for ready.
    else if (endpoint.conditions?.ready !== false) ready.set(key, { address, pod });
    else notReady.add(key);
  }
  return { ready: [...ready.values()], notReady: notReady.size, terminating: terminating.size };
}

const templateHashLabel = "pod-template-hash";

function podObservations(
  pods: readonly PodObject[],
  template: readonly ContainerObject[],
  mark: string | undefined,
): PodObservation[] {
  // The newest alone is no sign: a template that is on its way out may still be scaled up, and times are whole seconds.
  const newest = pods
    .filter((pod) => pod.metadata?.deletionTimestamp === undefined && runsTemplate(pod, template))
    .toSorted((a, b) => createdAt(b).localeCompare(createdAt(a)))[0];
  const present = newest?.metadata?.labels?.[templateHashLabel];
  return pods.map((pod) => ({
    name: pod.metadata?.name ?? "",
    uid: pod.metadata?.uid,
    phase: pod.status?.phase ?? "Unknown",
    ready: pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    terminating: pod.metadata?.deletionTimestamp !== undefined,
    former: pod.metadata?.labels?.[templateHashLabel] !== present,
    imageId: imageOf(pod),
    ...restartsOf(pod),
    ...markOf(pod, mark),
    problem: podProblem(pod),
  }));
}

/** Whether a pod's containers are those of the template, as far as what they run goes: admission may add to pods, not change that. */
function runsTemplate(pod: PodObject, template: readonly ContainerObject[]): boolean {
  const running = new Map((pod.spec?.containers ?? []).map((container) => [container.name, container]));
  if (running.size === 0) return true;
  return template.every((container) => {
    const found = running.get(container.name);
    if (found === undefined || found.image !== container.image) return false;
    const lists = (one: ContainerObject) => JSON.stringify([one.command ?? [], one.args ?? []]);
    const names = new Set((found.env ?? []).map((entry) => JSON.stringify(entry)));
    return (
      lists(found) === lists(container) &&
      (container.env ?? []).every((entry) => names.has(JSON.stringify(entry)))
    );
  });
}

function markOf({ metadata }: PodObject, otherwise: string | undefined): Pick<PodObservation, "mark"> {
  const mark = metadata?.annotations?.[markAnnotation] ?? otherwise;
  return mark === undefined ? {} : { mark };
}

/** Docker's shim writes `docker-pullable://` before it. */
function imageOf(pod: PodObject): string | undefined {
  const found = pod.status?.containerStatuses?.find(({ name }) => name === modelContainer)?.imageID;
  return found === undefined || found === "" ? undefined : found.replace(/^[a-z-]+:\/\//, "");
}

function restartsOf(pod: PodObject): Pick<PodObservation, "restarts" | "lastEnd"> {
  const statuses = pod.status?.containerStatuses ?? [];
  const restarts = statuses.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0);
  const ended = statuses
    .filter(({ restartCount, state }) => (restartCount ?? 0) > 0 || state?.terminated !== undefined)
    .map(describeEnd)[0];
  return { restarts, ...(ended === undefined ? {} : { lastEnd: ended }) };
}

function createdAt(pod: PodObject): string {
  return pod.metadata?.creationTimestamp ?? "";
}
