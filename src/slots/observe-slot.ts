import { markAnnotation, modelContainer, type ObjectNames, releaseLabel } from "../core/names.ts";
import type { Slot } from "../core/slots.ts";
import { type KubernetesApi, KubernetesApiError } from "../kubernetes/api.ts";
import { Lists } from "../kubernetes/lists.ts";
import { describeEnd, restartsOf } from "./containers.ts";
import { endpointsOf } from "./endpoints.ts";
import type {
  DeploymentObject,
  EndpointSliceObject,
  PodObject,
  ReplicaSetObject,
  ServiceObject,
} from "./kubernetes-objects.ts";
import type { DeploymentObservation, PodObservation, SlotObservation } from "./observation.ts";
import { podProblem } from "./pod-problems.ts";
import { type EndpointView, podWait } from "./pod-waits.ts";
import { podsRefused } from "./refused-pods.ts";
import { type Belonging, belonging, presentReplicaSet, type ReplicaSets, selectorText } from "./revisions.ts";

export interface SlotLocation {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly names: Pick<ObjectNames, "deployment" | "service">;
  /** What the answers of pods without a note of it have, where their release says it. @default none */
  readonly mark?: string | undefined;
  /** What lists were read so far. @default none */
  readonly lists?: Lists | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads one slot: its Deployment, Service, endpoints, and the pods that are its own. */
export async function observeSlotAt(location: SlotLocation, slot: Slot): Promise<SlotObservation> {
  const { api, namespace, names, signal, lists = new Lists(api) } = location;
  const name = names.service[slot];
  const options = signal === undefined ? {} : { signal };
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const [deployment, service, slices] = await Promise.all([
    api.find<DeploymentObject>(`${apps}/deployments/${names.deployment[slot]}`, options),
    api.find<ServiceObject>(`/api/v1/namespaces/${namespace}/services/${name}`, options),
    lists.find<EndpointSliceObject>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      ...options,
      labelSelector: `kubernetes.io/service-name=${name}`,
    }),
  ]);
  const selector = service?.spec?.selector ?? {};
  const selected = selectorText({ matchLabels: selector });
  const made = selectorText(deployment?.spec?.selector ?? {});
  const listed = async (labelSelector: string) => {
    // Without a selector the list would be every pod of the namespace.
    if (labelSelector === "") return [];
    const path = `/api/v1/namespaces/${namespace}/pods`;
    return (await lists.find<PodObject>(path, { ...options, labelSelector }))?.items ?? [];
  };
  const [ofService, ofDeployment, replicaSets] = await Promise.all([
    listed(selected),
    made === selected ? [] : listed(made),
    // Of an empty slot nothing is to be told apart.
    isEmpty(deployment)
      ? undefined
      : readReplicaSets(lists, `${apps}/replicasets`, { ...options, labelSelector: made || selected }),
  ]);
  const belongs = belonging(deployment, replicaSets);
  const chosen = new Set(ofService.map(({ metadata }) => metadata?.name));
  const pods = [
    ...ofService,
    // What the Deployment made and the Service does not select is the slot's too: it is missed among the endpoints.
    ...ofDeployment.filter(
      (pod) => !chosen.has(pod.metadata?.name) && isMadeBy(pod, deployment, belongs(pod)),
    ),
  ];
  const { portless, ...endpoints } = endpointsOf(service, slices?.items ?? [], pods);
  const view: EndpointView = {
    service: service === undefined ? undefined : name,
    selector,
    listed: new Set(
      (slices?.items ?? [])
        .flatMap((slice) => slice.endpoints ?? [])
        .map(({ targetRef }) => targetRef?.name ?? "")
        .filter((pod) => !portless.has(pod)),
    ),
    portless,
  };
  return {
    slot,
    service: service === undefined ? undefined : { name, selector },
    deployment: deployment === undefined ? undefined : deploymentObservation(deployment, replicaSets),
    endpoints,
    pods: pods.map((pod) => podObservation(pod, belongs(pod), view, location.mark)),
  };
}

function isEmpty(deployment: DeploymentObject | undefined): boolean {
  return deployment?.spec?.replicas === 0 && (deployment.status?.replicas ?? 0) === 0;
}

/** Roles of before may not allow it: then a pod's revision is unknown, and the Deployment's own count has to do. */
async function readReplicaSets(
  lists: Lists,
  path: string,
  options: Parameters<Lists["find"]>[1],
): Promise<ReplicaSets> {
  if (options.labelSelector === "") return [];
  try {
    return (await lists.find<ReplicaSetObject>(path, options))?.items ?? [];
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}

function isMadeBy(pod: PodObject, deployment: DeploymentObject | undefined, belongs: Belonging): boolean {
  return deployment !== undefined && belongs !== "stray" && pod.metadata?.ownerReferences !== undefined;
}

function deploymentObservation(
  deployment: DeploymentObject,
  replicaSets: ReplicaSets,
): DeploymentObservation {
  const { metadata, spec, status } = deployment;
  const release = Number(metadata?.labels?.[releaseLabel]);
  const present = presentReplicaSet(deployment, replicaSets);
  const refused = podsRefused(deployment, present, replicaSets !== undefined);
  return {
    name: metadata?.name ?? "",
    image: spec?.template?.spec?.containers?.[0]?.image,
    release: Number.isInteger(release) ? release : undefined,
    generation: metadata?.generation ?? 0,
    observedGeneration: status?.observedGeneration ?? 0,
    desiredReplicas: spec?.replicas ?? 1,
    replicas: status?.replicas ?? 0,
    updatedReplicas: status?.updatedReplicas ?? 0,
    readyReplicas: status?.readyReplicas ?? 0,
    replicaFailure: refused?.message,
    ...(refused === undefined ? {} : { refused }),
    ...(spec?.paused === true ? { paused: true } : {}),
  };
}

function podObservation(
  pod: PodObject,
  belongs: Belonging,
  view: EndpointView,
  mark: string | undefined,
): PodObservation {
  const { metadata, status } = pod;
  const problem = podProblem(pod);
  const endsBy = Date.parse(metadata?.deletionTimestamp ?? "");
  return {
    name: metadata?.name ?? "",
    uid: metadata?.uid,
    phase: status?.phase ?? "Unknown",
    ready: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    terminating: metadata?.deletionTimestamp !== undefined,
    ...(Number.isNaN(endsBy) ? {} : { endsBy }),
    former: belongs === "former",
    ...(belongs === "stray" ? { stray: true } : {}),
    imageId: imageOf(pod),
    restarts: restartsOf(pod),
    ...lastEndOf(pod),
    ...markOf(pod, mark),
    problem,
    waiting: problem === undefined ? podWait(pod, view) : undefined,
  };
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

function lastEndOf({ status }: PodObject): Pick<PodObservation, "lastEnd"> {
  const ended = (status?.containerStatuses ?? [])
    .filter(({ restartCount, state }) => (restartCount ?? 0) > 0 || state?.terminated !== undefined)
    .map(describeEnd)[0];
  return ended === undefined ? {} : { lastEnd: ended };
}
