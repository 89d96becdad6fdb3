import type { Clock } from "../core/clock.ts";
import { valueAt } from "../core/fields.ts";
import { hideTexts } from "../core/hidden-texts.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { Lists } from "../kubernetes/lists.ts";
import { HopelessJudge } from "./hopeless.ts";
import type { DeploymentObject, PodObject } from "./kubernetes-objects.ts";
import { evidenceLines, type NotReady, podReasons, whatIsWrong } from "./not-ready.ts";
import type { DeploymentObservation, PodProblem } from "./observation.ts";
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
  /** Where in the Deployment values stand that must not be told, as pods may in their logs. @default nowhere */
  readonly secretPaths?: readonly (readonly (string | number)[])[];
  readonly signal: AbortSignal;
}

/** Why a Deployment that is nobody's slot is not ready, each a line: what is missing, its pods, and their last words. None: it is ready, or not there. */
export async function whyUnready(place: DeploymentPlace): Promise<readonly string[]> {
  const seen = await observe(place);
  return seen === undefined ? [] : await linesOf(place, seen);
}

/** How often a Deployment is looked at, milliseconds. */
const pollMs = 1_000;

/**
 * The same as soon as waiting longer is pointless: an image that the registry refuses, a container that crashes again and again. Never
 * for pods that fit on no node, which may yet come, nor while the API server does not answer. Ends otherwise only by the signal.
 */
export async function whenHopeless(place: DeploymentPlace, clock: Clock): Promise<readonly string[]> {
  const judge = new HopelessJudge();
  for (;;) {
    const seen = await observe(place).catch(() => undefined);
    if (seen !== undefined) {
      const hopeless = judge.judge(seen.deployment, seen.verdict.problems, clock.now());
      const isHomeless = hopeless?.kind === "pods" && hopeless.problems.every(isUnschedulable);
      if (hopeless !== undefined && !isHomeless) return await linesOf(place, seen);
    }
    await clock.sleep(pollMs, place.signal);
  }
}

/** What a process is given, and may quote. Pulumi's provider takes a whole list for secret where an item of it is. */
function secretTexts(value: unknown, key = "value"): readonly string[] {
  if (typeof value === "string") return given.has(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    secretTexts(inner, Array.isArray(value) ? key : name),
  );
}

const given: ReadonlySet<string> = new Set(["value", "args", "command"]);

/** A log has its lines one by one, and so what is secret in them. */
function without(line: string, secrets: readonly string[]): string {
  const parts = secrets.flatMap((secret) => secret.split("\n")).filter((part) => part.length >= shortest);
  return hideTexts(line, parts, "[secret]");
}

/** Hiding shorter ones would tell more than it hides. */
const shortest = 4;

const isUnschedulable = ({ kind }: PodProblem) => kind === "unschedulable";

interface Seen {
  readonly deployment: DeploymentObservation;
  readonly verdict: NotReady;
  /** Values that must not be told. */
  readonly secrets: readonly string[];
}

async function observe(place: DeploymentPlace): Promise<Seen | undefined> {
  const { api, namespace, name, uid, secretPaths = [], signal } = place;
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const deployment = await api.find<DeploymentObject>(`${apps}/deployments/${name}`, { signal });
  const labelSelector = selectorText(deployment?.spec?.selector ?? {});
  if (deployment === undefined || labelSelector === "") return undefined;
  if (uid !== undefined && deployment.metadata?.uid !== uid) return undefined;
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
  if (reasons.length === 0) return undefined;
  const verdict = {
    state: "not-ready",
    readyReplicas,
    desiredReplicas: observed.desiredReplicas,
    reasons,
    problems: problemsOf(pods),
    waiting: pods.map(({ waiting }) => waiting).filter((waiting) => waiting !== undefined),
  } as const;
  const secrets = secretPaths.flatMap((path) => secretTexts(valueAt(deployment, path)));
  return { deployment: observed, verdict, secrets };
}

async function linesOf(
  { api, namespace, signal }: DeploymentPlace,
  { verdict, secrets }: Seen,
): Promise<readonly string[]> {
  const words = await Promise.all(
    whatIsWrong(verdict)
      .slice(0, 2)
      .map((problem) => podEvidence(api, namespace, problem, signal)),
  );
  const lines = [verdict.reasons.join("; "), ...podReasons(verdict), ...evidenceLines(words)];
  return lines.map((line) => without(line, secrets));
}
