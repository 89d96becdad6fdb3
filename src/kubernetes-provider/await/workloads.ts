import { mapAt, nameOf, numberAt, text } from "../objects.ts";
import type { PropertyMap } from "../struct.ts";
import { explainPods, recentEvents } from "./explain.ts";
import { collection, condition, isOwnedBy, list, type Observer, selectorText } from "./observer.ts";
import { describeProblems, isReady, podProblems } from "./pods.ts";
import type { Verdict } from "./wait.ts";

type WorkloadVerdict = (workload: PropertyMap, pods: readonly PropertyMap[]) => Verdict;

export const statefulSetVerdict: WorkloadVerdict = (set, pods) => {
  const wanted = numberAt(set, "spec", "replicas") ?? 1;
  const ready = numberAt(set, "status", "readyReplicas") ?? 0;
  const updated = numberAt(set, "status", "updatedReplicas") ?? 0;
  const onDelete = text(set, "spec", "updateStrategy", "type") === "OnDelete";
  const done = ready >= wanted && (updated >= wanted || onDelete);
  return isObserved(set) && done
    ? { state: "ready" }
    : unready(`${ready} of ${wanted} replicas ready`, wanted - ready, pods);
};

export const daemonSetVerdict: WorkloadVerdict = (set, pods) => {
  const wanted = numberAt(set, "status", "desiredNumberScheduled") ?? 0;
  const available = numberAt(set, "status", "numberAvailable") ?? 0;
  const updated = numberAt(set, "status", "updatedNumberScheduled") ?? 0;
  const onDelete = text(set, "spec", "updateStrategy", "type") === "OnDelete";
  const done = available >= wanted && (updated >= wanted || onDelete);
  if (isObserved(set) && done) return { state: "ready" };
  return unready(`${available} of ${wanted} pods available`, wanted - available, pods);
};

export const jobVerdict: WorkloadVerdict = (job, pods) => {
  if (text(condition(job, "Complete"), "status") === "True") return { state: "ready" };
  const failed = condition(job, "Failed");
  if (text(failed, "status") === "True") {
    return {
      state: "failed",
      reasons: [`${text(failed, "reason")}: ${text(failed, "message")}`, ...described(pods)],
    };
  }
  if (mapAt(job, "spec").suspend === true) return { state: "ready", note: "The Job is suspended." };
  const wanted = numberAt(job, "spec", "completions") ?? 1;
  const headline = `${numberAt(job, "status", "succeeded") ?? 0} of ${wanted} completions`;
  return { state: "waiting", reasons: [headline, ...described(pods)] };
};

export function podVerdict(pod: PropertyMap): Verdict {
  const phase = text(pod, "status", "phase");
  if (phase === "Succeeded" || isReady(pod)) return { state: "ready" };
  const headline = `The pod is ${phase || "not seen yet"}`;
  return phase === "Failed"
    ? { state: "failed", reasons: [headline, ...described([pod])] }
    : unready(headline, 1, [pod]);
}

function isObserved(workload: PropertyMap): boolean {
  const generation = numberAt(workload, "metadata", "generation") ?? 0;
  return (numberAt(workload, "status", "observedGeneration") ?? 0) >= generation;
}

function described(pods: readonly PropertyMap[]): readonly string[] {
  return describeProblems(pods.flatMap(podProblems));
}

function unready(headline: string, missing: number, pods: readonly PropertyMap[]): Verdict {
  const problems = pods.flatMap(podProblems);
  const hopeless = problems.filter((problem) => problem.severity === "hopeless");
  const reasons = [headline, ...described(pods)];
  if (hopeless.length > 0 && hopeless.length >= missing) return { state: "failed", reasons };
  return { state: "waiting", reasons, trouble: problems.some((problem) => problem.severity !== "mending") };
}

/** For kinds that own pods through a selector. */
export function workloadObserver(plural: string, verdict: WorkloadVerdict): Observer {
  const own = (live: PropertyMap) => collection(live, `/apis/${text(live, "apiVersion")}`, plural);
  return {
    watch: (live) => [
      { path: own(live), name: nameOf(live) },
      {
        path: collection(live, "/api/v1", "pods"),
        labelSelector: selectorText(mapAt(live, "spec", "selector")),
      },
    ],
    async look(session, live) {
      const { api } = session.client;
      const query = { labelSelector: selectorText(mapAt(live, "spec", "selector")) };
      const [workload, selected] = await Promise.all([
        api.find<PropertyMap>(`${own(live)}/${nameOf(live)}`, { signal: session.signal }),
        list(api, collection(live, "/api/v1", "pods"), query, session.signal),
      ]);
      const pods = selected.filter((pod) => isOwnedBy(pod, live));
      return {
        object: workload ?? live,
        verdict: workload === undefined ? deleted : verdict(workload, pods),
        explain: () => (pods.length === 0 ? recentEvents(session, live) : explainPods(session, pods)),
      };
    },
  };
}

export const podObserver: Observer = {
  watch: (live) => [{ path: collection(live, "/api/v1", "pods"), name: nameOf(live) }],
  async look(session, live) {
    const path = `${collection(live, "/api/v1", "pods")}/${nameOf(live)}`;
    const pod = await session.client.api.find<PropertyMap>(path, { signal: session.signal });
    return {
      object: pod ?? live,
      verdict: pod === undefined ? deleted : podVerdict(pod),
      explain: () => explainPods(session, [pod ?? live]),
    };
  },
};

const deleted: Verdict = { state: "failed", reasons: ["It was deleted while it was waited for"] };
