import { Lists } from "../kubernetes/lists.ts";
import type { DeploymentObject, PodObject } from "./kubernetes-objects.ts";
import { deploymentObservation, podObservation, readReplicaSets } from "./observe-deployment.ts";
import { noService } from "./pod-waits.ts";
import { deploymentReasons, problemsOf } from "./readiness.ts";
import { belonging, selectorText } from "./revisions.ts";
import { type LookAt, meant } from "./waited.ts";

/** A Deployment that is nobody's slot. */
export const lookAtDeployment: LookAt = async (place) => {
  const { api, namespace, name, signal } = place;
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const deployment = await meant<DeploymentObject>(place, `${apps}/deployments/${name}`);
  const labelSelector = selectorText(deployment?.spec?.selector ?? {});
  if (deployment === undefined || labelSelector === "") return undefined;
  const lists = new Lists(api);
  const [list, replicaSets] = await Promise.all([
    lists.find<PodObject>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector, signal }),
    readReplicaSets(lists, `${apps}/replicasets`, { labelSelector, signal }),
  ]);
  const belongs = belonging(deployment, replicaSets);
  const pods = (list?.items ?? [])
    .filter((pod) => belongs(pod) === "present")
    .map((pod) => podObservation(pod, "present", noService, undefined));
  const observed = deploymentObservation(deployment, replicaSets);
  const readyReplicas = pods.filter(({ ready, terminating }) => ready && !terminating).length;
  const reasons = deploymentReasons(name, observed, readyReplicas);
  if (reasons.length === 0) return undefined;
  const problems = problemsOf(pods);
  return {
    object: deployment,
    deployment: observed,
    reasons,
    problems,
    waiting: pods.map(({ waiting }) => waiting).filter((waiting) => waiting !== undefined),
    lasting: problems,
  };
};
