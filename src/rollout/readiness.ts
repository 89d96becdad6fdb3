import type { PodProblem, SlotObservation } from "./observation.ts";

export type Readiness =
  | { readonly state: "ready"; readonly replicas: number }
  | {
      readonly state: "not-ready";
      readonly readyReplicas: number;
      /** `undefined` where somebody else runs the pods and none is there yet. */
      readonly desiredReplicas: number | undefined;
      /** Each a full clause, for people. Never empty. */
      readonly reasons: readonly string[];
      readonly problems: readonly PodProblem[];
    };

/**
 * Whether a slot can take traffic: all its desired replicas are ready endpoints of its Service, and all of them run what the
 * Deployment says now. `atLeast`: replicas that an autoscaler is about to ask for. Where somebody else runs the pods: at least one ready endpoint, and every pod is one.
 */
export function readiness(slot: SlotObservation, atLeast = 0): Readiness {
  const reasons: string[] = [];
  const ready = slot.endpoints.ready.length;
  const deployment = slot.deployment;
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
    const present = slot.pods.filter(
      ({ terminating, phase }) => !terminating && phase !== "Succeeded" && phase !== "Failed",
    ).length;
    const listed = ready + slot.endpoints.notReady;
    if (ready > 0 && present > listed) reasons.push(`${present - listed} of ${present} pods not started yet`);
  } else {
    if (deployment.observedGeneration < deployment.generation) {
      reasons.push(
        `the Deployment ${deployment.name} was changed and its controller has not looked at it yet`,
      );
    }
    if (deployment.desiredReplicas === 0) reasons.push(`${slot.slot} has 0 replicas`);
    else if (deployment.desiredReplicas < atLeast) {
      reasons.push(
        `the autoscaler has asked for ${deployment.desiredReplicas} of ${atLeast} replicas so far`,
      );
    }
    const old = deployment.replicas - deployment.updatedReplicas;
    if (old > 0)
      reasons.push(`${old} ${old === 1 ? "pod still runs" : "pods still run"} the former template`);
    if (ready < deployment.desiredReplicas) {
      reasons.push(`${ready} of ${deployment.desiredReplicas} replicas ready`);
    } else if (deployment.updatedReplicas < deployment.desiredReplicas) {
      reasons.push(
        `${deployment.updatedReplicas} of ${deployment.desiredReplicas} replicas run the present template`,
      );
    }
    if (deployment.replicaFailure !== undefined) reasons.push(deployment.replicaFailure);
  }

  if (reasons.length === 0) return { state: "ready", replicas: ready };
  // What is wrong with pods of a former template is about to go away with them.
  const problems = slot.pods
    .filter((pod) => !pod.former)
    .map((pod) => pod.problem)
    .filter((problem) => problem !== undefined);
  return {
    state: "not-ready",
    readyReplicas: ready,
    desiredReplicas: deployment?.desiredReplicas,
    reasons,
    problems,
  };
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
