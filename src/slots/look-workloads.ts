import type { KubernetesApi, KubernetesObject } from "../kubernetes/api.ts";
import { type List, Lists } from "../kubernetes/lists.ts";
import { describeEnd } from "./containers.ts";
import type { Condition, EventObject, LabelSelector, PodObject } from "./kubernetes-objects.ts";
import type { PodProblem } from "./observation.ts";
import { podProblem } from "./pod-problems.ts";
import { noService, podWait } from "./pod-waits.ts";
import { selectorText } from "./revisions.ts";
import { type LookAt, meant, type Unready, type WaitedPlace } from "./waited.ts";

interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly completions?: number;
    readonly selector?: LabelSelector;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly updateRevision?: string;
    readonly numberReady?: number;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly succeeded?: number;
    readonly conditions?: readonly Condition[];
  };
}

export const lookAtStatefulSet: LookAt = async (place) => {
  const found = await meant<Workload>(place, `${apps(place)}/statefulsets/${place.name}`);
  if (found === undefined) return undefined;
  const { spec, status } = found;
  const { replicas: desired = 1 } = spec ?? {};
  const { readyReplicas = 0, updatedReplicas = 0, updateRevision } = status ?? {};
  const isPresent = (pod: PodObject) => pod.metadata?.labels?.["controller-revision-hash"] === updateRevision;
  return await unready(place, found, [readyReplicas, updatedReplicas, desired], isPresent);
};

export const lookAtDaemonSet: LookAt = async (place) => {
  const found = await meant<Workload>(place, `${apps(place)}/daemonsets/${place.name}`);
  if (found === undefined) return undefined;
  const { numberReady = 0, updatedNumberScheduled = 0, desiredNumberScheduled = 0 } = found.status ?? {};
  const template = found.metadata?.annotations?.["deprecated.daemonset.template.generation"];
  const isPresent = (pod: PodObject) => pod.metadata?.labels?.["pod-template-generation"] === template;
  const counts = [numberReady, updatedNumberScheduled, desiredNumberScheduled] as const;
  return await unready(place, found, counts, isPresent);
};

/** `counts`: pods that are ready, those of the present revision, those that are wanted. */
async function unready(
  place: WaitedPlace,
  object: Workload,
  [ready, updated, desired]: readonly [number, number, number],
  isPresent: (pod: PodObject) => boolean,
): Promise<Unready | undefined> {
  const isSeen = (object.status?.observedGeneration ?? 0) >= (object.metadata?.generation ?? 0);
  if (isSeen && ready >= desired && updated >= desired) return undefined;
  const pods = await podsOf(place, object);
  const { problems, waiting } = problemsIn(pods);
  const present = new Set(pods.filter(isPresent).map(nameOf));
  return {
    object,
    reasons: [
      ...(isSeen ? [] : ["its controller has not seen it yet"]),
      ...(updated < desired && ready >= desired ? [`${updated} of ${desired} replicas up to date`] : []),
      ...(ready < desired ? [`${ready} of ${desired} replicas ready`] : []),
      ...(pods.length < desired ? await refusals(place.api, place, object) : []),
    ],
    problems,
    waiting,
    // What pods of a former revision lack may be what is being mended.
    lasting: isSeen ? problems.filter(({ pod }) => present.has(pod)) : [],
  };
}

/** A Job is to try again: only what keeps its pods from beginning is in vain. */
const keepsFromBeginning: ReadonlySet<PodProblem["kind"]> = new Set(["image-pull", "container-config"]);

export const lookAtJob: LookAt = async (place) => {
  const path = `/apis/batch/v1/namespaces/${place.namespace}/jobs/${place.name}`;
  const job = await meant<Workload>(place, path);
  const has = (type: string) =>
    job?.status?.conditions?.find((one) => one.type === type && one.status === "True");
  if (job === undefined || has("Complete") !== undefined || has("SuccessCriteriaMet") !== undefined)
    return undefined;
  const pods = await podsOf(place, job);
  const failed = has("Failed") ?? has("FailureTarget");
  const { problems, waiting } = problemsIn(pods);
  const wanted = job.spec?.completions ?? 1;
  return {
    object: job,
    reasons:
      failed === undefined
        ? [
            `${job.status?.succeeded ?? 0} of ${wanted} ${wanted === 1 ? "pod" : "pods"} ended well`,
            ...(pods.length === 0 ? await refusals(place.api, place, job) : []),
          ]
        : [[failed.reason, failed.message].filter(Boolean).join(": ")],
    problems,
    waiting: failed === undefined ? waiting : [],
    lasting: problems.filter(({ kind }) => keepsFromBeginning.has(kind)),
    ...(failed === undefined ? {} : { hasFailed: true }),
  };
};

export const lookAtPod: LookAt = async (place) => {
  const pod = await meant<PodObject>(place, `/api/v1/namespaces/${place.namespace}/pods/${place.name}`);
  const isReady = pod?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  if (pod === undefined || isReady || pod.status?.phase === "Succeeded") return undefined;
  const { problems, waiting } = problemsIn([pod]);
  return { object: pod, reasons: ["it is not ready"], problems, waiting, lasting: problems };
};

const apps = ({ namespace }: WaitedPlace) => `/apis/apps/v1/namespaces/${namespace}`;
const nameOf = ({ metadata }: PodObject) => metadata?.name ?? "";

/** The pods that an object owns, the newest first. */
async function podsOf(
  { api, namespace, signal }: WaitedPlace,
  { metadata, spec }: Workload,
): Promise<readonly PodObject[]> {
  const labelSelector = selectorText(spec?.selector ?? {});
  if (labelSelector === "") return [];
  const list = await new Lists(api).find<PodObject>(`/api/v1/namespaces/${namespace}/pods`, {
    labelSelector,
    signal,
  });
  const madeAt = (pod: PodObject) => pod.metadata?.creationTimestamp ?? "";
  return (list?.items ?? [])
    .filter((pod) => pod.metadata?.ownerReferences?.some(({ uid }) => uid === metadata?.uid) === true)
    .toSorted((a, b) => madeAt(b).localeCompare(madeAt(a)));
}

/** Why pods are not ready; or what they are at. Pure. */
export function problemsIn(pods: readonly PodObject[]): Pick<Unready, "problems" | "waiting"> {
  const looked = pods.map((pod) => {
    const problem = badEnd(pod) ?? podProblem(pod);
    return { problem, waiting: problem === undefined ? podWait(pod, noService) : undefined };
  });
  const isReady = (pod: PodObject) =>
    pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const isDone = (index: number) => {
    const pod = pods[index];
    return pod !== undefined && isReady(pod);
  };
  return {
    problems: looked.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
    waiting: looked.flatMap(({ waiting }, index) =>
      waiting === undefined || isDone(index) ? [] : [waiting],
    ),
  };
}

/** A pod that is not started again, as those of Jobs. */
function badEnd(pod: PodObject): PodProblem | undefined {
  const { phase, initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  if (phase !== "Failed") return undefined;
  const ended = [...initContainerStatuses, ...containerStatuses].find(
    ({ state }) => state?.terminated !== undefined && state.terminated.exitCode !== 0,
  );
  if (ended === undefined) return undefined;
  return {
    pod: nameOf(pod),
    container: ended.name,
    kind: "crash-loop",
    reason: "Failed",
    message: `Container ${ended.name} ended: ${describeEnd(ended)}`,
    final: false,
  };
}

/** Why no more pods can be made, as the controller was told the last time. */
async function refusals(
  api: KubernetesApi,
  { namespace, signal }: WaitedPlace,
  { metadata }: Workload,
): Promise<readonly string[]> {
  try {
    const list = await api.find<List<EventObject>>(`/api/v1/namespaces/${namespace}/events`, {
      query: { fieldSelector: `involvedObject.uid=${metadata?.uid},reason=FailedCreate` },
      timeoutMs: 5_000,
      signal,
    });
    const timeOf = ({ lastTimestamp, eventTime }: EventObject) => lastTimestamp ?? eventTime ?? "";
    const last = (list?.items ?? []).toSorted((a, b) => timeOf(a).localeCompare(timeOf(b))).at(-1);
    return last?.message === undefined ? [] : [last.message];
  } catch {
    // Whoever may not read events is told less.
    return [];
  }
}
