import { quantityValue } from "../core/quantity.ts";
import type { Condition, DeploymentObject, ReplicaSetObject } from "./kubernetes-objects.ts";
import type { PodsRefused } from "./observation.ts";

/** What the API server or its admission says where it may say something else the next time. */
const passing =
  /failed calling webhook|failed to call webhook|Internal error occurred|Timeout: |timed out|context deadline exceeded|etcdserver|[Tt]oo many requests|not yet ready to handle|unable to \S+ \S+ at this time|the object has been modified/;

/** Somebody else may be about to make what is missing. */
const perhapsComing =
  /error looking up service account|no PriorityClass with name|RuntimeClass "[^"]*" not found/;

/** Whether the API server will never take such pods, unless somebody changes something. Pure. */
export function isFinalRefusal(message: string, replicas: number): boolean {
  if (passing.test(message) || perhapsComing.test(message)) return false;
  const exceeded = /exceeded quota: .*?, requested: (\S+), used: \S+, limited: (\S+)/.exec(message);
  if (exceeded !== null) {
    // Other pods may end; what is more than there is for all will never fit.
    const limits = amounts(exceeded[2] ?? "");
    return [...amounts(exceeded[1] ?? "")].some(
      ([resource, requested]) => requested * Math.max(1, replicas) > (limits.get(resource) ?? Infinity),
    );
  }
  return /is forbidden|is invalid|denied (the )?request|Forbidden|Invalid|being terminated/.test(message);
}

/** `limits.memory=3Gi,pods=1` */
function amounts(text: string): Map<string, number> {
  return new Map(
    text.split(",").flatMap((entry) => {
      const at = entry.lastIndexOf("=");
      const value = quantityValue(entry.slice(at + 1));
      return value === undefined ? [] : [[entry.slice(0, at), value] as const];
    }),
  );
}

/** That the pods of a Deployment's present template are refused, and why. Pure. `replicaSet`: the present one, where it is known. */
export function podsRefused(
  deployment: DeploymentObject,
  replicaSet: ReplicaSetObject | undefined,
  mayReadReplicaSets: boolean,
): PodsRefused | undefined {
  const { metadata, spec, status } = deployment;
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return undefined;
  // The Deployment repeats the failures of former ReplicaSets too.
  const ofPods = mayReadReplicaSets ? replicaSet?.status?.conditions : status?.conditions;
  const failure =
    ofPods?.find((one) => isTrue(one, "ReplicaFailure") && one.reason !== "FailedDelete") ??
    status?.conditions?.find((one) => one.type === "Progressing" && one.reason === "ReplicaSetCreateError");
  if (failure?.message === undefined) return undefined;
  const { message, lastTransitionTime: since } = failure;
  return {
    message,
    final: isFinalRefusal(message, spec?.replicas ?? 1),
    id: [replicaSet?.metadata?.uid ?? metadata?.uid, since, message].join(" "),
    since,
  };
}

function isTrue({ type, status }: Condition, wanted: string): boolean {
  return type === wanted && status === "True";
}
