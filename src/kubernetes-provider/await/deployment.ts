import { annotations } from "../annotations.ts";
import { annotation, at, mapAt, nameOf, numberAt, text } from "../objects.ts";
import type { PropertyMap } from "../struct.ts";
import { explainPods, recentEvents } from "./explain.ts";
import { collection, condition, isOwnedBy, list, type Observer, selectorText } from "./observer.ts";
import { describeProblems, podProblems } from "./pods.ts";
import type { Verdict } from "./wait.ts";

export interface DeploymentView {
  /** Undefined when it was deleted meanwhile. */
  readonly deployment: PropertyMap | undefined;
  /** Generation of the write that is waited for. */
  readonly generation: number;
  readonly replicaSets: readonly PropertyMap[];
  readonly pods: readonly PropertyMap[];
}

/** A Deployment is ready when the pods of its newest revision have taken over and are all ready. */
export function deploymentVerdict(view: DeploymentView): Verdict {
  const { deployment } = view;
  if (deployment === undefined)
    return { state: "failed", reasons: ["It was deleted while it was waited for"] };
  const generation = Math.max(view.generation, numberAt(deployment, "metadata", "generation") ?? 0);
  if ((numberAt(deployment, "status", "observedGeneration") ?? 0) < generation) {
    return { state: "waiting", reasons: ["Waiting for the Deployment controller to see the change"] };
  }
  if (at(deployment, "spec", "paused") === true) return { state: "ready", note: "The rollout is paused." };
  const revision = annotation(deployment, annotations.revision);
  const replicaSet = newestReplicaSet(view);
  if (revision === "" || replicaSet === undefined) {
    const blocked = condition(deployment, "ReplicaFailure");
    const why = text(blocked, "status") === "True" ? `: ${text(blocked, "message")}` : "";
    return { state: "waiting", reasons: [`Waiting for a ReplicaSet${why}`], trouble: why !== "" };
  }

  const wanted = numberAt(deployment, "spec", "replicas") ?? 1;
  const updated = numberAt(deployment, "status", "updatedReplicas") ?? 0;
  const all = numberAt(deployment, "status", "replicas") ?? 0;
  const available = numberAt(deployment, "status", "availableReplicas") ?? 0;
  const ready = numberAt(replicaSet, "status", "readyReplicas") ?? 0;
  const isAvailable = text(condition(deployment, "Available"), "status") === "True";
  if (isAvailable && updated >= wanted && all <= updated && available >= wanted && ready >= wanted) {
    return { state: "ready" };
  }

  const problems = podsOf(view, replicaSet).flatMap(podProblems);
  const described = describeProblems(problems);
  const hopeless = problems.filter((problem) => problem.severity === "hopeless");
  const failing = problems.some((problem) => problem.severity === "failing");
  const headline = `${ready} of ${wanted} replicas ready`;
  if (hopeless.length > 0 && hopeless.length >= wanted - ready) {
    return { state: "failed", reasons: [headline, ...described] };
  }
  const progressing = condition(deployment, "Progressing");
  const stuck = text(progressing, "status") === "False";
  if (stuck && (failing || hopeless.length > 0 || problems.length === 0)) {
    return { state: "failed", reasons: [headline, text(progressing, "message"), ...described] };
  }
  const blocked = condition(deployment, "ReplicaFailure");
  const refused = text(blocked, "status") === "True" ? [text(blocked, "message")] : [];
  const old = all - updated;
  const leaving = ready >= wanted && old > 0 ? [`pods of the previous revision still there: ${old}`] : [];
  return {
    state: "waiting",
    reasons: [headline, ...leaving, ...refused, ...described],
    trouble: failing || hopeless.length > 0 || stuck || refused.length > 0,
  };
}

function newestReplicaSet(view: DeploymentView): PropertyMap | undefined {
  const { deployment } = view;
  if (deployment === undefined) return undefined;
  const revision = annotation(deployment, annotations.revision);
  return view.replicaSets.find(
    (candidate) =>
      isOwnedBy(candidate, deployment) && annotation(candidate, annotations.revision) === revision,
  );
}

function podsOf(view: DeploymentView, replicaSet: PropertyMap): readonly PropertyMap[] {
  return view.pods.filter((pod) => isOwnedBy(pod, replicaSet));
}

export const deploymentObserver: Observer = {
  watch: (live) => {
    const labelSelector = selectorText(mapAt(live, "spec", "selector"));
    return [
      { path: collection(live, "/apis/apps/v1", "deployments"), name: nameOf(live) },
      { path: collection(live, "/api/v1", "pods"), labelSelector },
    ];
  },
  async look(session, live) {
    const { api } = session.client;
    const query = { labelSelector: selectorText(mapAt(live, "spec", "selector")) };
    const [deployment, replicaSets, pods] = await Promise.all([
      api.find<PropertyMap>(`${collection(live, "/apis/apps/v1", "deployments")}/${nameOf(live)}`, {
        signal: session.signal,
      }),
      list(api, collection(live, "/apis/apps/v1", "replicasets"), query, session.signal),
      list(api, collection(live, "/api/v1", "pods"), query, session.signal),
    ]);
    const generation = numberAt(live, "metadata", "generation") ?? 0;
    const view: DeploymentView = { deployment, generation, replicaSets, pods };
    return {
      object: deployment ?? live,
      verdict: deploymentVerdict(view),
      explain: async () => {
        const replicaSet = newestReplicaSet(view);
        if (replicaSet === undefined) return recentEvents(session, live);
        const own = podsOf(view, replicaSet);
        return own.length === 0 ? recentEvents(session, replicaSet) : explainPods(session, own);
      },
    };
  },
};
