import { markAnnotation, modelContainer, releaseLabel } from "../core/names.ts";
import { KubernetesApiError } from "../kubernetes/api.ts";
import type { Lists } from "../kubernetes/lists.ts";
import { describeEnd, restartsOf } from "./containers.ts";
import type { DeploymentObject, PodObject, ReplicaSetObject } from "./kubernetes-objects.ts";
import type { DeploymentObservation, PodObservation } from "./observation.ts";
import { podProblem } from "./pod-problems.ts";
import { type EndpointView, podWait } from "./pod-waits.ts";
import { podsRefused } from "./refused-pods.ts";
import { type Belonging, presentReplicaSet, type ReplicaSets } from "./revisions.ts";

/** Roles of before may not allow it: then a pod's revision is unknown, and the Deployment's own count has to do. */
export async function readReplicaSets(
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

/** Pure. */
export function deploymentObservation(
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

/** Pure. */
export function podObservation(
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
