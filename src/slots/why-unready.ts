import type { Clock } from "../core/clock.ts";
import { HopelessJudge } from "./hopeless.ts";
import { lookAtDeployment } from "./look-deployment.ts";
import { lookAtIngress, lookAtService } from "./look-entrances.ts";
import { lookAtDaemonSet, lookAtJob, lookAtPod, lookAtStatefulSet } from "./look-workloads.ts";
import { evidenceLines, podReasons, whatIsWrong } from "./not-ready.ts";
import type { PodProblem } from "./observation.ts";
import { podEvidence } from "./pod-evidence.ts";
import { secretsAt, withoutSecrets } from "./secret-texts.ts";
import type { LookAt, Unready, WaitedPlace } from "./waited.ts";

/** Kinds of which can be told why they are waited for. */
const looks = {
  Deployment: lookAtDeployment,
  StatefulSet: lookAtStatefulSet,
  DaemonSet: lookAtDaemonSet,
  Job: lookAtJob,
  Pod: lookAtPod,
  Service: lookAtService,
  Ingress: lookAtIngress,
} as const satisfies Readonly<Record<string, LookAt>>;

export type WaitedKind = keyof typeof looks;

export function isWaitedKind(kind: string): kind is WaitedKind {
  return Object.hasOwn(looks, kind);
}

/** Of these nothing ever shows that waiting is in vain: whoever gives them what they lack may yet come. */
export const entrances: ReadonlySet<string> = new Set<WaitedKind>(["Service", "Ingress"]);

export interface WhyUnready {
  /** What is missing, pods, and their last words. None: it is ready, not there, or another one. */
  readonly lines: readonly string[];
  /** It has come to a bad end by itself: nobody waits any more. */
  readonly hasFailed: boolean;
}

/** Why an object that is nobody's slot is not ready. */
export async function whyUnready(kind: WaitedKind, place: WaitedPlace): Promise<WhyUnready> {
  const seen = await looks[kind](place);
  return {
    lines: seen === undefined ? [] : await linesOf(place, seen),
    hasFailed: seen?.hasFailed === true,
  };
}

/** How often an object is looked at, milliseconds. */
const pollMs = 1_000;

/**
 * The same as soon as waiting longer is pointless: an image that the registry refuses, a container that crashes again and again. Never
 * for pods that fit on no node, which may yet come, nor while the API server does not answer. Ends otherwise only by the signal.
 */
export async function whenHopeless(
  kind: WaitedKind,
  place: WaitedPlace,
  clock: Clock,
): Promise<readonly string[]> {
  const judge = new HopelessJudge();
  for (;;) {
    const seen = await looks[kind](place).catch(() => undefined);
    if (seen !== undefined) {
      const hopeless = judge.judge(seen.deployment, seen.lasting, clock.now());
      const isHomeless = hopeless?.kind === "pods" && hopeless.problems.every(isUnschedulable);
      if (hopeless !== undefined && !isHomeless) return await linesOf(place, seen);
    }
    await clock.sleep(pollMs, place.signal);
  }
}

const isUnschedulable = ({ kind }: PodProblem) => kind === "unschedulable";

async function linesOf(
  { api, namespace, secretPaths, signal }: WaitedPlace,
  seen: Unready,
): Promise<readonly string[]> {
  const words = await Promise.all(
    whatIsWrong(seen)
      .slice(0, 2)
      .map((problem) => podEvidence(api, namespace, problem, signal)),
  );
  const lines = [seen.reasons.join("; "), ...podReasons(seen), ...evidenceLines(words)];
  const secrets = secretsAt(seen.object, secretPaths);
  return lines.map((line) => withoutSecrets(line, secrets));
}
