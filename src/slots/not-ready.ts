import { UserError } from "../core/errors.ts";
import { hintFor } from "./hints.ts";
import type { PodEvidence, PodProblem, SlotObservation } from "./observation.ts";
import type { Readiness } from "./readiness.ts";

export type NotReady = Extract<Readiness, { state: "not-ready" }>;

/** Asks for the last words of a pod that has a problem. */
export type AskEvidence = (problem: PodProblem) => Promise<PodEvidence>;

/** Problems first; what has none is named by what it is at. */
export function whatIsWrong({
  problems,
  waiting,
}: Pick<NotReady, "problems" | "waiting">): readonly PodProblem[] {
  return [...problems, ...waiting];
}

/** Why a slot's pods take no requests, each a line; enough of them to see it. */
export function podReasons(verdict: Pick<NotReady, "problems" | "waiting">): readonly string[] {
  return whatIsWrong(verdict)
    .slice(0, 3)
    .map(({ pod, message }) => `pod ${pod}: ${message}`);
}

/** The last words of pods, each a line. */
export function evidenceLines(evidence: readonly PodEvidence[]): readonly string[] {
  return evidence.flatMap(({ events, logLines }) => [
    ...events.map((event) => `  ${event}`),
    ...logLines.map((line) => `  log: ${line}`),
  ]);
}

/** The same as `notReadyError`, with the last words of its first pods that have a problem. */
export async function notReady(
  observed: SlotObservation,
  verdict: NotReady,
  evidence: AskEvidence,
  deadlineMs?: number,
): Promise<UserError> {
  const words = await Promise.all(whatIsWrong(verdict).slice(0, 2).map(evidence));
  return notReadyError(observed, verdict, words, deadlineMs);
}

/** The error for a slot that can't take traffic: every reason, each pod's problem, and its last words. */
export function notReadyError(
  observed: SlotObservation,
  verdict: NotReady,
  evidence: readonly PodEvidence[] = [],
  deadlineMs?: number,
): UserError {
  const lines = [
    deadlineMs === undefined
      ? `${observed.slot} is not ready: ${verdict.reasons.join("; ")}.`
      : `${observed.slot} did not become ready within ${Math.round(deadlineMs / 1000)} s: ${verdict.reasons.join("; ")}.`,
    ...podReasons(verdict),
    ...evidenceLines(evidence),
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
      problems: whatIsWrong(verdict),
      evidence,
    },
  });
}
