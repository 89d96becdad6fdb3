import type { Clock } from "../core/clock.ts";
import type { StepEvent } from "../core/events.ts";
import { type AskEvidence, notReady } from "./not-ready.ts";
import type { DeploymentObservation, PodProblem, SlotObservation } from "./observation.ts";
import { describeReadiness, type Readiness, readiness } from "./readiness.ts";

export interface WaitReadyOptions {
  readonly observe: () => Promise<SlotObservation>;
  readonly evidence: AskEvidence;
  readonly deadlineMs: number;
  /** Whether a node may yet come for a pod that fits on none; asked once. @default none does */
  readonly nodesMayCome?: (pod: string) => Promise<boolean>;
  /** What refusal of pods was known before anything was changed: Kubernetes repeats it until it tries again. @default the first that is seen */
  readonly refusedBefore?: { readonly id: string | undefined };
  /** Replicas that an autoscaler is about to ask for. @default 0 */
  readonly atLeast?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: (update: Pick<StepEvent, "detail" | "progress">) => void;
}

const pollMs = 250;
/** How long a pod may be unschedulable before it is asked whether a node comes: an autoscaler needs a moment to say so. */
const unschedulableGraceMs = 20_000;
/** A final problem must be seen for this long: a pod that was just replaced is still listed for a moment. */
const finalGraceMs = 1_000;
/** What a container needs may be made beside it, for example a Secret by an operator. */
const containerConfigGraceMs = 15_000;
/** A refusal from before may have been mended since; Kubernetes tries again after ever longer pauses. */
const formerRefusalGraceMs = 60_000;

/**
 * Waits until all desired replicas of a slot are ready endpoints.
 * @throws UserError `slot-not-ready` at the deadline, or earlier when waiting longer is pointless
 */
export async function waitReady(options: WaitReadyOptions): Promise<Extract<Readiness, { state: "ready" }>> {
  const { clock, signal, progress } = options;
  const begunAt = clock.now();
  let startedAt = begunAt;
  const firstSeen = new Map<string, number>();
  let lastDetail: string | undefined;
  let isNodeExpected: boolean | undefined;
  let { refusedBefore } = options;
  for (;;) {
    const observed = await options.observe();
    const verdict = readiness(observed, options.atLeast);
    if (verdict.state === "ready") return verdict;

    // What does not exist yet has had no time to become ready.
    const mayCome = clock.now() - begunAt < 2 * options.deadlineMs;
    if (observed.service === undefined && mayCome) startedAt = clock.now();
    const detail = describeReadiness(verdict);
    if (detail !== lastDetail) {
      progress({
        detail,
        ...(verdict.desiredReplicas === undefined
          ? {}
          : {
              progress: { done: verdict.readyReplicas, total: verdict.desiredReplicas, unit: "replicas" },
            }),
      });
      lastDetail = detail;
    }
    const now = clock.now();
    const refused = observed.deployment?.refused;
    refusedBefore ??= { id: refused?.id };
    if (refused?.final === true) {
      const graceMs = refused.id === refusedBefore.id ? formerRefusalGraceMs : finalGraceMs;
      if (lasts(`refused ${refused.id}`, graceMs, firstSeen, now)) {
        throw await notReady(observed, verdict, options.evidence);
      }
    }
    const current = observed.deployment === undefined || hasPresentPods(observed.deployment);
    const hopeless = current ? verdict.problems.filter((problem) => isHopeless(problem, firstSeen, now)) : [];
    const homeless = hopeless.find(({ kind }) => kind === "unschedulable");
    if (homeless !== undefined) isNodeExpected ??= (await options.nodesMayCome?.(homeless.pod)) ?? false;
    if (hopeless.some(({ kind }) => kind !== "unschedulable" || isNodeExpected !== true)) {
      throw await notReady(observed, verdict, options.evidence);
    }
    if (now - startedAt >= options.deadlineMs) {
      throw await notReady(observed, verdict, options.evidence, options.deadlineMs);
    }
    await clock.sleep(pollMs, signal);
  }
}

/** Whether pods of the present template exist: problems of others say nothing about it. */
function hasPresentPods(deployment: DeploymentObservation): boolean {
  return deployment.observedGeneration >= deployment.generation && deployment.updatedReplicas > 0;
}

function isHopeless(problem: PodProblem, firstSeen: Map<string, number>, now: number): boolean {
  if (!problem.final && problem.kind !== "unschedulable") return false;
  return lasts(`${problem.pod} ${problem.kind}`, graceOf(problem), firstSeen, now);
}

function graceOf({ kind }: PodProblem): number {
  if (kind === "unschedulable") return unschedulableGraceMs;
  return kind === "container-config" ? containerConfigGraceMs : finalGraceMs;
}

function lasts(what: string, graceMs: number, firstSeen: Map<string, number>, now: number): boolean {
  const since = firstSeen.get(what) ?? now;
  firstSeen.set(what, since);
  return now - since >= graceMs;
}

/** An object that is about to be written is so within this time; a write that changes nothing leaves no trace. */
const writeMs = 5_000;

/** Waits until a slot's Deployment is another one than it was, or was not to be changed. */
export async function untilWritten(
  { observe, clock, signal }: Pick<WaitReadyOptions, "observe" | "clock" | "signal">,
  before: DeploymentObservation | undefined,
): Promise<void> {
  const until = clock.now() + writeMs;
  while (clock.now() < until) {
    const { deployment } = await observe();
    if (deployment?.generation !== before?.generation) return;
    await clock.sleep(2 * pollMs, signal);
  }
}
