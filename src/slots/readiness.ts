import type { DeploymentObject } from "./kubernetes-objects.ts";
import type { DeploymentObservation, PodObservation, PodProblem, SlotObservation } from "./observation.ts";
import { hasEnded } from "./occupants.ts";

export type Readiness =
  | { readonly state: "ready"; readonly replicas: number }
  | {
      readonly state: "not-ready";
      /** Endpoints that take requests, of whatever revision. */
      readonly readyReplicas: number;
      /** `undefined` where somebody else runs the pods and none is there yet. */
      readonly desiredReplicas: number | undefined;
      /** Each a full clause, for people. Never empty. */
      readonly reasons: readonly string[];
      /** What is wrong with its pods. */
      readonly problems: readonly PodProblem[];
      /** What its other pods are at that take no requests. */
      readonly waiting: readonly PodProblem[];
    };

/**
 * Whether a slot can take traffic: all its desired replicas are ready endpoints of its Service, and all of them run what the
 * Deployment says now. `atLeast`: replicas that an autoscaler is about to ask for. Where somebody else runs the pods: at least one ready endpoint, and every pod is one.
 */
export function readiness(slot: SlotObservation, atLeast = 0): Readiness {
  const reasons: string[] = [];
  const deployment = slot.deployment;
  const ready = presentEndpoints(slot);
  if (slot.service === undefined) reasons.push(`the Service of ${slot.slot} does not exist`);

  if (deployment === undefined) {
    if (slot.service !== undefined && ready === 0) {
      const selector = Object.entries(slot.service.selector).map(([key, value]) => `${key}=${value}`);
      reasons.push(
        `no pod with the labels ${selector.join(",") || "(none)"} is a ready endpoint of the Service ${slot.service.name}`,
      );
    }
    if (slot.endpoints.notReady > 0) {
      reasons.push(
        `${slot.endpoints.notReady} of ${slot.endpoints.notReady + ready} endpoints ${slot.endpoints.notReady === 1 ? "is" : "are"} not ready`,
      );
    }
    // A pod without an address is no endpoint yet.
    const present = slot.pods.filter((pod) => !pod.terminating && !hasEnded(pod)).length;
    const listed = ready + slot.endpoints.notReady;
    if (ready > 0 && present > listed) reasons.push(`${present - listed} of ${present} pods not started yet`);
  } else {
    reasons.push(...deploymentReasons(slot.slot, deployment, ready, atLeast));
  }

  if (reasons.length === 0) return { state: "ready", replicas: ready };
  // What is wrong with pods of a former template is about to go away with them; others were not made by the slot's Deployment.
  const pods = slot.pods.filter((pod) => !pod.former && pod.stray !== true);
  return {
    state: "not-ready",
    readyReplicas: slot.endpoints.ready.length,
    desiredReplicas: deployment?.desiredReplicas,
    reasons,
    problems: problemsOf(pods),
    waiting: pods.map((pod) => pod.waiting).filter((waiting) => waiting !== undefined),
  };
}

/** Why a Deployment has not all its replicas ready and of its present template; none: it has. `who`: what it is called. Pure. */
export function deploymentReasons(
  who: string,
  deployment: DeploymentObservation,
  ready: number,
  atLeast = 0,
): readonly string[] {
  const reasons: string[] = [];
  if (deployment.observedGeneration < deployment.generation) {
    reasons.push(`the Deployment ${deployment.name} was changed and its controller has not looked at it yet`);
  }
  if (deployment.paused === true && deployment.updatedReplicas === 0 && deployment.desiredReplicas > 0) {
    reasons.push(
      `rollouts of the Deployment ${deployment.name} are paused (\`kubectl rollout resume deployment ${deployment.name}\`)`,
    );
  }
  if (deployment.desiredReplicas === 0) reasons.push(`${who} has 0 replicas`);
  else if (deployment.desiredReplicas < atLeast) {
    reasons.push(`the autoscaler has asked for ${deployment.desiredReplicas} of ${atLeast} replicas so far`);
  }
  const old = deployment.replicas - deployment.updatedReplicas;
  if (old > 0) reasons.push(`${old} ${old === 1 ? "pod still runs" : "pods still run"} the former template`);
  if (ready < deployment.desiredReplicas) {
    reasons.push(`${ready} of ${deployment.desiredReplicas} replicas ready`);
  } else if (deployment.updatedReplicas < deployment.desiredReplicas) {
    reasons.push(
      `${deployment.updatedReplicas} of ${deployment.desiredReplicas} replicas run the present template`,
    );
  }
  if (deployment.replicaFailure !== undefined) reasons.push(deployment.replicaFailure);
  return reasons;
}

/** Ready endpoints that are pods of what the slot runs now: traffic that former ones or strangers take says nothing of it. */
function presentEndpoints({ deployment, endpoints, pods }: SlotObservation): number {
  if (deployment === undefined) return endpoints.ready.length;
  const others = new Set(pods.filter((pod) => pod.former || pod.stray === true).map((pod) => pod.name));
  return endpoints.ready.filter(({ pod }) => pod === undefined || !others.has(pod)).length;
}

/** Those of pods that have ended come last: others were made in their place. */
export function problemsOf(pods: readonly PodObservation[]): PodProblem[] {
  return [...pods.filter((pod) => !hasEnded(pod)), ...pods.filter(hasEnded)]
    .map((pod) => pod.problem)
    .filter((problem) => problem !== undefined);
}

/** One line about how far a slot is, for example `2 of 3 replicas ready`. */
export function describeReadiness(readiness: Readiness): string {
  if (readiness.state === "ready") {
    return `${readiness.replicas} of ${readiness.replicas} ${readiness.replicas === 1 ? "replica" : "replicas"} ready`;
  }
  const problem = readiness.problems[0];
  const reasons = readiness.reasons.join("; ");
  return problem === undefined ? reasons : `${reasons}; pod ${problem.pod}: ${problem.message}`;
}

/** How far a Deployment is that nobody changes, whoever made it; `undefined`: all its replicas are up to date and ready. Pure. */
export function unsettled({
  metadata,
  status,
  spec,
}: Pick<DeploymentObject, "metadata" | "status"> & {
  readonly spec?: { readonly replicas?: number };
}): string | undefined {
  const replicas = spec?.replicas ?? 1;
  const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0 } = status ?? {};
  const isSettled =
    observedGeneration >= (metadata?.generation ?? 0) &&
    [status?.replicas, readyReplicas, updatedReplicas].every((count) => count === replicas);
  return isSettled
    ? undefined
    : `${readyReplicas} of ${replicas} replicas are ready, ${updatedReplicas} up to date`;
}
