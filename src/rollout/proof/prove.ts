import type { Clock } from "../../core/clock.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import type { StepEvent } from "../../core/events.ts";
import type { IdentityProbe } from "../../core/identity.ts";
import { ingressGuards } from "../../core/ingress-guards.ts";
import type { IngressSpec } from "../../core/model.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { outcomeOf, type Question, questionsFor } from "./identity-question.ts";
import { Pace } from "./pace.ts";
import type { Probe } from "./probe-request.ts";
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
  /** For how long, in milliseconds, nothing but expected answers have to come. @default no longer than it takes to get them */
  readonly watchMs?: number | undefined;
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
/** Where every view at every address has met so often nothing but what waiting does not change, it is not waited for longer than this. */
const lastingTimes = 5;
const lastingMs = 10_000;

/** Asks the ingress until every view at every address is proved, or the deadline passes. */
export async function prove(options: ProveOptions): Promise<ProofVerdict> {
  const needed = options.needed ?? defaultNeeded;
  const asking = questionsOf(options);
  if ("state" in asking) return asking;
  const { questions } = asking;
  const startedAt = options.clock.now();
  const until = startedAt + options.deadlineMs;
  const pace = new Pace(options.clock, options.signal);
  const asked = options.endpoints.flatMap((endpoint) =>
    questions.flatMap((question) => options.views.map((view) => ({ endpoint, question, view }))),
  );
  const lanes = asked.map(({ endpoint, question, view }) =>
    newLane(endpoint, view, questions.length === 1 ? undefined : question.host),
  );

  const watchMs = options.watchMs ?? 0;
  let doubtedAt = startedAt;
  const isWatched = () => options.clock.now() - doubtedAt >= watchMs;

  let reportedAt = startedAt;
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
  const isBarred = () =>
    options.clock.now() - startedAt >= Math.min(lastingMs, options.deadlineMs) &&
    lanes.every(({ barred }) => barred >= lastingTimes);
  const run = async (index: number, question: Question) => {
    let pauseMs = firstPauseMs;
    for (;;) {
      const isOver = () => {
        const lane = lanes[index];
        return (
          lane === undefined ||
          (shareProved(lane, needed) >= 1 && isWatched()) ||
          options.clock.now() >= until ||
          isBarred()
        );
      };
      if (isOver()) return;
      const ticket = await pace.turn(until);
      // Limited for longer than there is time: waiting would only hold up what comes after.
      if (ticket === undefined) return;
      const before = lanes[index];
      const outcome =
        before === undefined || isOver() ? undefined : await ask(options, before, question).catch(thrown);
      const limit = outcome?.kind === "unanswered" ? outcome.met : undefined;
      pace.done(ticket, { limited: limit !== undefined, retryAfterMs: limit?.retryAfterMs });
      if (outcome?.kind === "thrown") throw outcome.error;
      if (outcome === undefined || before === undefined) return;
      // Others ask at the same time.
      const lane = advance(lanes[index] ?? before, outcome, options.identities);
      lanes[index] = lane;
      if (lane.consecutive === 0 && outcome.kind !== "unanswered") doubtedAt = options.clock.now();
      report();
      if (limit !== undefined) continue;
      if (lane.consecutive > 0) {
        pauseMs = firstPauseMs;
        // It looks as if the ingress were still behind: that is no reason to hurry.
        if (shareProved(lane, needed) >= 1) await options.clock.sleep(longestPauseMs, options.signal);
        else if (lane.scores.includes(0)) await options.clock.sleep(pauseMs, options.signal);
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
  const verdict = proofVerdict(lanes, needed);
  if (verdict.state === "open" || isWatched()) return verdict;
  const missing = [`nothing but expected answers for ${watchMs / 1000} s: others came until a moment ago`];
  return { state: "open", evidence: verdict.evidence, missing, advice: [] };
}

async function ask(options: ProveOptions, lane: Lane, question: Question): Promise<ProbeOutcome> {
  const forced = lane.view.previewHeader;
  try {
    const answer = await options.probe({
      ...question,
      endpoint: lane.endpoint,
      headers: { ...lane.view.headers, ...(forced === undefined ? {} : { [options.previewHeader]: forced }) },
      timeoutMs: probeTimeoutMs,
      signal: options.signal,
    });
    return outcomeOf(question, options.identity, answer, {
      protocol: lane.endpoint.protocol,
      isLimited: ingressGuards(options.ingress.annotations).some(({ kind }) => kind === "limit"),
      known: Object.values(options.identities),
      now: options.clock.now(),
    });
  } catch (error) {
    // An interruption is no observation of the ingress.
    if (options.signal.aborted) await options.clock.sleep(0, options.signal);
    return { kind: "error", message: error instanceof Error ? error.message || error.name : String(error) };
  }
}

function thrown(error: unknown): { readonly kind: "thrown"; readonly error: unknown } {
  return { kind: "thrown", error };
}

/** What nobody can be asked for is not proved; nothing is thrown here, since what is proved has been written already. */
function questionsOf({
  ingress,
  identity,
}: ProveOptions): { readonly questions: readonly Question[] } | ProofVerdict {
  try {
    return { questions: questionsFor(ingress, identity) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const evidence = { probes: 0, lanes: [] };
    return {
      state: "open",
      evidence,
      missing: [messageOf(error)],
      advice: error.hint === undefined ? [] : [error.hint],
    };
  }
}
