import { isInterrupted, messageAndHint, UserError } from "../../core/errors.ts";
import { requestFor } from "../ask-model.ts";
import type { Asking } from "../asking.ts";
import type { IngressOutcome } from "../io.ts";
import { type LiveCare, LiveWatch, pausedSeconds } from "../live-care.ts";
import { noAnswer } from "../no-answer.ts";
import { cameTo } from "../outcome.ts";
import { type AskingIo, paceOf } from "../parity/ask.ts";
import { readJson } from "../protocols/protocol.ts";

/** How fast one request was answered. */
export interface Timed {
  /** Milliseconds; infinite: no answer, or an error. */
  readonly live: number;
  readonly release: number;
}

export type PerformanceSample =
  | { readonly kind: "no-cases"; readonly why: string }
  /** Nobody can say: the ingress was not reached, or limits requests. */
  | { readonly kind: "unanswered"; readonly why: string }
  /** Live is left alone. */
  | { readonly kind: "paused"; readonly why: string }
  | {
      readonly kind: "timed";
      readonly times: readonly Timed[];
      readonly durationMs: number;
      readonly care: LiveCare;
      /** Why live is to be left alone from now on. */
      readonly strain: string | undefined;
    };

/** One block: long enough that what comes in lumps falls into few of them. */
const blockMs = 10_000;
/** Requests that are under way at once, to each slot: what comes above them is a server that does not keep up, and is waited for. */
const mostUnderWay = 64;

/**
 * Sends requests to both slots at a rate of its own, whether or not the ones before were answered: a slow server does not slow down who asks it.
 */
export async function timeBlock(
  io: AskingIo,
  how: {
    readonly asking: Asking;
    readonly rate: number | undefined;
    readonly turn: number;
    readonly care: LiveCare;
  },
  signal: AbortSignal,
): Promise<PerformanceSample> {
  const { asking } = how;
  const { clock, folder } = io.calls;
  const { readCases } = await import("../cases/read-cases.ts");
  let requests: readonly ReturnType<typeof requestFor>[];
  try {
    requests = (await readCases(folder, asking.cases, "input")).map(({ input }) => requestFor(asking, input));
  } catch (error) {
    if (!(error instanceof UserError) || isInterrupted(error)) throw error;
    return { kind: "no-cases", why: messageAndHint(error) };
  }
  const pause = pausedSeconds(how.care, clock.now());
  if (pause !== undefined) return { kind: "paused", why: `live is left alone for another ${pause} s` };
  const everyMs = 1000 / paceOf(how.rate, await io.clientsRate?.(signal), io.liveAskers);
  const startedAt = clock.now();
  const times: Timed[] = [];
  const underWay = new Set<Promise<void>>();
  let unanswered: string | undefined;
  let failure: unknown;
  const watch = new LiveWatch(how.care);
  const one = async (index: number) => {
    const request = requests[(how.turn + index) % requests.length];
    if (request === undefined) return;
    const ask = (route: "live" | "release") => io.ask({ route, ...request, signal });
    const [live, release] = await Promise.all([ask("live"), ask("release")]);
    const [a, b] = [timeOf(live), timeOf(release)];
    watch.hear(live);
    if (typeof a === "string" || typeof b === "string") unanswered ??= typeof a === "string" ? a : String(b);
    else times.push({ live: a, release: b });
  };
  for (
    let index = 0;
    index * everyMs < blockMs && (unanswered ?? watch.strain) === undefined && failure === undefined;
    index++
  ) {
    const waitMs = startedAt + index * everyMs - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    while (underWay.size >= mostUnderWay) await Promise.race(underWay);
    const sent: Promise<void> = one(index)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
  if (unanswered !== undefined) return { kind: "unanswered", why: unanswered };
  const now = clock.now();
  const { strain } = watch;
  return { kind: "timed", times, durationMs: now - startedAt, care: watch.careAt(now), strain };
}

/** A text: nobody can say. A refusal, or an error with HTTP 200, may be quick: it is none of the answers that clients wait for. */
function timeOf(outcome: IngressOutcome): number | string {
  const came = cameTo(outcome);
  if (came.kind === "unanswered") return came.why;
  if (came.kind !== "answer" || outcome.kind !== "answer") return Number.POSITIVE_INFINITY;
  return isAnswer(outcome) ? outcome.latencyMs : Number.POSITIVE_INFINITY;
}

/** Errors are small. */
const largestError = 16 * 1024;

function isAnswer({ answer }: Extract<IngressOutcome, { kind: "answer" }>): boolean {
  if (answer.body.length > largestError) return true;
  const read = readJson(answer.body);
  // What is no JSON may be a picture, and what the protocol has no words for may be an answer all the same.
  return (
    read.kind === "nothing" || noAnswer({ protocol: "json", answer: undefined }, read.value) === undefined
  );
}
