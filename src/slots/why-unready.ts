import type { KubernetesApi } from "../kubernetes/api.ts";
import { Lists } from "../kubernetes/lists.ts";
import type { DeploymentObject, PodObject } from "./kubernetes-objects.ts";
import { evidenceLines, podReasons, whatIsWrong } from "./not-ready.ts";
import { deploymentObservation, podObservation, readReplicaSets } from "./observe-deployment.ts";
import { podEvidence } from "./pod-evidence.ts";
import { deploymentReasons, problemsOf } from "./readiness.ts";
import { belonging, selectorText } from "./revisions.ts";

export interface DeploymentPlace {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** The one that is meant, where it is known: another cluster may have one of the same name. */
  readonly uid?: string | undefined;
  readonly signal: AbortSignal;
}

/** Why a Deployment that is nobody's slot is not ready, each a line: what is missing, its pods, and their last words. None: it is ready, or not there. */
export async function whyUnready({
  api,
  namespace,
  name,
  uid,
  signal,
}: DeploymentPlace): Promise<readonly string[]> {
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const deployment = await api.find<DeploymentObject>(`${apps}/deployments/${name}`, { signal });
  const labelSelector = selectorText(deployment?.spec?.selector ?? {});
  if (deployment === undefined || labelSelector === "") return [];
  if (uid !== undefined && deployment.metadata?.uid !== uid) return [];
  const lists = new Lists(api);
  const [list, replicaSets] = await Promise.all([
    lists.find<PodObject>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector, signal }),
    readReplicaSets(lists, `${apps}/replicasets`, { labelSelector, signal }),
  ]);
  const belongs = belonging(deployment, replicaSets);
  const noService = {
    service: undefined,
    selector: {},
    listed: new Set<string>(),
    portless: new Set<string>(),
  };
  const pods = (list?.items ?? [])
    .filter((pod) => belongs(pod) === "present")
    .map((pod) => podObservation(pod, "present", noService, undefined));
  const observed = deploymentObservation(deployment, replicaSets);
  const readyReplicas = pods.filter(({ ready, terminating }) => ready && !terminating).length;
  const reasons = deploymentReasons(name, observed, readyReplicas);
  if (reasons.length === 0) return [];
  const verdict = {
    state: "not-ready",
    readyReplicas,
    desiredReplicas: observed.desiredReplicas,
    reasons,
    problems: problemsOf(pods),
    waiting: pods.map(({ waiting }) => waiting).filter((waiting) => waiting !== undefined),
  } as const;
  const words = await Promise.all(
    whatIsWrong(verdict)
      .slice(0, 2)
      .map((problem) => podEvidence(api, namespace, problem, signal)),
  );
  return [reasons.join("; "), ...podReasons(verdict), ...evidenceLines(words)];
}
