import type { Clock } from "../core/clock.ts";
import type { StepEvent } from "../core/events.ts";
import type { IdentityProbe } from "../core/identity.ts";
import type { IngressSpec } from "../core/model.ts";
import type { Endpoint } from "./ingress-endpoints.ts";
import type { Probe } from "./probe.ts";
import {
  advance,
  type Identities,
  type Lane,
  newLane,
  type ProbeOutcome,
  type ProofVerdict,
  type ProofView,
  proofVerdict,
  shareProved,
} from "./proof.ts";
import { outcomeOf, type Question, questionsFor } from "./question.ts";

export interface ProveOptions {
  readonly endpoints: readonly Endpoint[];
  readonly views: readonly ProofView[];
  readonly identities: Identities;
  readonly identity: IdentityProbe;
  readonly ingress: IngressSpec;
  readonly previewHeader: string;
  readonly deadlineMs: number;
  /** Expected answers in a row, each on a connection of its own, per address and view. @default 10 */
  readonly needed?: number;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: (update: Pick<StepEvent, "detail" | "progress">) => void;
}

export const defaultNeeded = 10;
const probeTimeoutMs = 5_000;
const firstPauseMs = 20;
const longestPauseMs = 250;
const reportEveryMs = 1_000;
/** Probes at the same time where many answers may be needed: a far ingress takes a while for each. */
const together = 4;

/** Asks the ingress until every view at every address is proved, or the deadline passes. */
export async function prove(options: ProveOptions): Promise<ProofVerdict> {
  const needed = options.needed ?? defaultNeeded;
  const questions = questionsFor(options.ingress, options.identity);
  const until = options.clock.now() + options.deadlineMs;
  const asked = options.endpoints.flatMap((endpoint) =>
    questions.flatMap((question) => options.views.map((view) => ({ endpoint, question, view }))),
  );
  const lanes = asked.map(({ endpoint, question, view }) =>
    newLane(endpoint, view, questions.length === 1 ? undefined : question.host),
  );

  let reportedAt = options.clock.now();
  const report = () => {
    // A proof usually takes a moment; only one that does not is worth a line.
    const now = options.clock.now();
    if (now - reportedAt < reportEveryMs) return;
    reportedAt = now;
    const done = lanes.reduce((sum, lane) => sum + Math.floor(shareProved(lane, needed) * needed), 0);
    const verdict = proofVerdict(lanes, needed);
    options.progress({
      progress: { done, total: lanes.length * needed, unit: "answers" },
      ...(verdict.state === "open" && verdict.missing[0] !== undefined ? { detail: verdict.missing[0] } : {}),
    });
  };
  const run = async (index: number, question: Question) => {
    let pauseMs = firstPauseMs;
    for (;;) {
      const before = lanes[index];
      if (before === undefined || shareProved(before, needed) >= 1 || options.clock.now() >= until) return;
      const outcome = await ask(options, before, question);
      // Others ask at the same time.
      const lane = advance(lanes[index] ?? before, outcome, options.identities);
      lanes[index] = lane;
      report();
      if (lane.consecutive > 0) {
        pauseMs = firstPauseMs;
        // It looks as if the ingress were still behind: that is no reason to hurry.
        if (lane.scores.includes(0)) await options.clock.sleep(pauseMs, options.signal);
        continue;
      }
      await options.clock.sleep(pauseMs, options.signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  };
  const runs = asked.flatMap(({ question, view }, index) =>
    Array.from({ length: view.rivals.length > 0 ? together : 1 }, () => run(index, question)),
  );
  await Promise.all(runs);
  return proofVerdict(lanes, needed);
}

async function ask(options: ProveOptions, lane: Lane, question: Question): Promise<ProbeOutcome> {
  const forced = lane.view.previewHeader;
  try {
    const answer = await options.probe({
      ...question,
      endpoint: lane.endpoint,
      headers: forced === undefined ? {} : { [options.previewHeader]: forced },
      timeoutMs: probeTimeoutMs,
      signal: options.signal,
    });
    return outcomeOf(question, options.identity, answer);
  } catch (error) {
    // An interruption is no observation of the ingress.
    if (options.signal.aborted) await options.clock.sleep(0, options.signal);
    return { kind: "error", message: error instanceof Error ? error.message || error.name : String(error) };
  }
}
