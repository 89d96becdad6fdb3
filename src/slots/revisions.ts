import type { DeploymentObject, LabelSelector, PodObject, ReplicaSetObject } from "./kubernetes-objects.ts";

/** Which revision a pod is of, by those who made it: admission may change everything else about a pod. */
export type Belonging =
  /** Of the present revision; or nobody makes revisions of it. */
  | "present"
  /** Of another revision of the same owner. */
  | "former"
  /** Of none that the slot's Deployment made. */
  | "stray";

const revisionAnnotation = "deployment.kubernetes.io/revision";

/** The ReplicaSets of a slot; `undefined`: they may not be read. */
export type ReplicaSets = readonly ReplicaSetObject[] | undefined;

/** The ReplicaSet that makes the pods of what the Deployment says now; `undefined`: none yet, or it cannot be known. Pure. */
export function presentReplicaSet(
  deployment: DeploymentObject,
  replicaSets: ReplicaSets,
): ReplicaSetObject | undefined {
  // Until its controller has looked at a change, the annotation is about what was before.
  if ((deployment.status?.observedGeneration ?? 0) < (deployment.metadata?.generation ?? 0)) return undefined;
  // What is paused keeps the revision of before, whatever its template says.
  if (deployment.spec?.paused === true && (deployment.status?.updatedReplicas ?? 0) === 0) return undefined;
  const revision = deployment.metadata?.annotations?.[revisionAnnotation];
  if (revision === undefined) return undefined;
  return owned(deployment, replicaSets).find(
    ({ metadata }) => metadata?.annotations?.[revisionAnnotation] === revision,
  );
}

function owned(deployment: DeploymentObject, replicaSets: ReplicaSets): readonly ReplicaSetObject[] {
  const uid = deployment.metadata?.uid;
  return (replicaSets ?? []).filter(({ metadata }) =>
    metadata?.ownerReferences?.some((owner) => owner.kind === "Deployment" && owner.uid === uid),
  );
}

/** Says of each pod which revision it is of. Pure. */
export function belonging(
  deployment: DeploymentObject | undefined,
  replicaSets: ReplicaSets,
): (pod: PodObject) => Belonging {
  if (replicaSets === undefined) return () => "present";
  const newest =
    deployment === undefined
      ? newestOfEach(replicaSets)
      : new Set([presentReplicaSet(deployment, replicaSets)?.metadata?.uid]);
  const known = deployment === undefined ? replicaSets : owned(deployment, replicaSets);
  const uids = new Set(known.map(({ metadata }) => metadata?.uid));
  return (pod) => {
    const owner = pod.metadata?.ownerReferences?.find(({ kind }) => kind === "ReplicaSet")?.uid;
    if (owner !== undefined && newest.has(owner)) return "present";
    if (owner !== undefined && uids.has(owner)) return "former";
    return deployment === undefined ? "present" : "stray";
  };
}

/** Where somebody else runs the pods, by whatever Deployments: the newest revision of each. */
function newestOfEach(replicaSets: readonly ReplicaSetObject[]): Set<string | undefined> {
  const newest = new Map<string, { readonly uid: string | undefined; readonly revision: number }>();
  for (const { metadata } of replicaSets) {
    const owner = metadata?.ownerReferences?.find(({ kind }) => kind === "Deployment")?.uid;
    const key = owner ?? `itself ${metadata?.uid}`;
    const revision = Number(metadata?.annotations?.[revisionAnnotation] ?? 0);
    const best = newest.get(key);
    if (best === undefined || revision > best.revision) newest.set(key, { uid: metadata?.uid, revision });
  }
  return new Set([...newest.values()].map(({ uid }) => uid));
}

/** A label selector as it is asked for in a query. Pure. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case "In":
        return `${key} in (${values.join(",")})`;
      case "NotIn":
        return `${key} notin (${values.join(",")})`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...equal, ...others].join(",");
}
