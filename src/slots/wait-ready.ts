import type { Clock } from "../core/clock.ts";
import type { StepEvent } from "../core/events.ts";
import { HopelessJudge } from "./hopeless.ts";
import { type AskEvidence, notReady } from "./not-ready.ts";
import type { DeploymentObservation, SlotObservation } from "./observation.ts";
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
/**
 * Waits until all desired replicas of a slot are ready endpoints.
 * @throws UserError `slot-not-ready` at the deadline, or earlier when waiting longer is pointless
 */
export async function waitReady(options: WaitReadyOptions): Promise<Extract<Readiness, { state: "ready" }>> {
  const { clock, signal, progress } = options;
  const begunAt = clock.now();
  let startedAt = begunAt;
  const judge = new HopelessJudge(options.refusedBefore);
  let lastDetail: string | undefined;
  let isNodeExpected: boolean | undefined;
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
    const hopeless = judge.judge(observed.deployment, verdict.problems, now);
    if (hopeless?.kind === "refused") throw await notReady(observed, verdict, options.evidence);
    const problems = hopeless?.problems ?? [];
    const homeless = problems.find(({ kind }) => kind === "unschedulable");
    if (homeless !== undefined) isNodeExpected ??= (await options.nodesMayCome?.(homeless.pod)) ?? false;
    if (problems.some(({ kind }) => kind !== "unschedulable" || isNodeExpected !== true)) {
      throw await notReady(observed, verdict, options.evidence);
    }
    if (now - startedAt >= options.deadlineMs) {
      throw await notReady(observed, verdict, options.evidence, options.deadlineMs);
    }
    await clock.sleep(pollMs, signal);
  }
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
