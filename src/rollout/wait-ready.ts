import type { Clock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import type { StepEvent } from "../core/events.ts";
import type { DeploymentObservation, PodEvidence, PodProblem, SlotObservation } from "./observation.ts";
import { probeHint } from "./probe-hint.ts";
import { describeReadiness, type Readiness, readiness } from "./readiness.ts";

export interface WaitReadyOptions {
  readonly observe: () => Promise<SlotObservation>;
  readonly evidence: (problem: PodProblem) => Promise<PodEvidence>;
  readonly deadlineMs: number;
  /** Whether a node may yet come for a pod that fits on none; asked once. @default none does */
  readonly nodesMayCome?: (pod: string) => Promise<boolean>;
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
    const current = observed.deployment === undefined || hasPresentPods(observed.deployment);
    const hopeless = current ? verdict.problems.filter((problem) => isHopeless(problem, firstSeen, now)) : [];
    const homeless = hopeless.find(({ kind }) => kind === "unschedulable");
    if (homeless !== undefined) isNodeExpected ??= (await options.nodesMayCome?.(homeless.pod)) ?? false;
    if (hopeless.some(({ kind }) => kind !== "unschedulable" || isNodeExpected !== true)) {
      throw await notReady(observed, verdict, options);
    }
    if (now - startedAt >= options.deadlineMs) {
      throw await notReady(observed, verdict, options, options.deadlineMs);
    }
    await clock.sleep(pollMs, signal);
  }
}

/** Whether pods of the present template exist: problems of others say nothing about it. */
function hasPresentPods(deployment: DeploymentObservation): boolean {
  return deployment.observedGeneration >= deployment.generation && deployment.updatedReplicas > 0;
}

function isHopeless(problem: PodProblem, firstSeen: Map<string, number>, now: number): boolean {
  const graceMs = problem.kind === "unschedulable" ? unschedulableGraceMs : finalGraceMs;
  if (!problem.final && problem.kind !== "unschedulable") return false;
  const key = `${problem.pod} ${problem.kind}`;
  const since = firstSeen.get(key) ?? now;
  firstSeen.set(key, since);
  return now - since >= graceMs;
}

/** The same as `notReadyError`, with the last words of its first pods that have a problem. */
export async function notReady(
  observed: SlotObservation,
  verdict: Extract<Readiness, { state: "not-ready" }>,
  { evidence }: Pick<WaitReadyOptions, "evidence">,
  deadlineMs?: number,
): Promise<UserError> {
  const words = await Promise.all(verdict.problems.slice(0, 2).map((problem) => evidence(problem)));
  return notReadyError(observed, verdict, words, deadlineMs);
}

/** The error for a slot that can't take traffic: every reason, each pod's problem, and its last words. */
export function notReadyError(
  observed: SlotObservation,
  verdict: Extract<Readiness, { state: "not-ready" }>,
  evidence: readonly PodEvidence[] = [],
  deadlineMs?: number,
): UserError {
  const lines = [
    deadlineMs === undefined
      ? `${observed.slot} is not ready: ${verdict.reasons.join("; ")}.`
      : `${observed.slot} did not become ready within ${Math.round(deadlineMs / 1000)} s: ${verdict.reasons.join("; ")}.`,
    ...verdict.problems.slice(0, 3).map((problem) => `pod ${problem.pod}: ${problem.message}`),
    ...evidence.flatMap((words) => [
      ...words.events.map((event) => `  ${event}`),
      ...words.logLines.map((line) => `  log: ${line}`),
    ]),
  ];
  return new UserError({
    code: "slot-not-ready",
    message: lines.join("\n"),
    hint: hintFor(observed, verdict, evidence),
    details: {
      slot: observed.slot,
      readyReplicas: verdict.readyReplicas,
      ...(verdict.desiredReplicas === undefined ? {} : { desiredReplicas: verdict.desiredReplicas }),
      reasons: verdict.reasons,
      problems: verdict.problems,
      evidence,
    },
  });
}

function hintFor(
  observed: SlotObservation,
  verdict: Extract<Readiness, { state: "not-ready" }>,
  evidence: readonly PodEvidence[],
): string {
  if (observed.service === undefined) return "Run `modelswitch up`: it makes what is missing.";
  const problem = verdict.problems[0];
  const image = observed.deployment?.image;
  switch (problem?.kind) {
    case "image-pull":
      return `Make the image ${image ?? ""} available to the nodes, or change it in the config file; then run the command again.`;
    case "crash-loop":
    case "container-config":
      return "Mend what the container says above (image, arguments, environment) in the config file and run `modelswitch up`.";
    case "model-digest":
      return "Correct model.uri or model.digest in the config file (`sha256sum FILE` prints the digest of a file) and run `modelswitch up`.";
    case "model-fetch":
      return "Correct model.uri, the credentials in model.fetcher.env or the permissions of the files and run `modelswitch up`; see what the container says above.";
    case "unschedulable":
      return "Free or add capacity, or lower the slot's resource requests; then run the command again.";
    case "failing-probe":
      return (
        probeHint(evidence.flatMap(({ events }) => events)) ??
        "Look at the pod's log; if the model only loads slowly, raise deadlines.ready in the config file."
      );
    case "evicted":
    case undefined:
      return observed.deployment === undefined
        ? "Start pods with these labels and a passing readiness probe; then run the command again."
        : "`modelswitch status` shows the slot; run the command again once it is ready.";
  }
}
