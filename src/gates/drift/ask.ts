import { isInterrupted, messageAndHint, UserError } from "../../core/errors.ts";
import { requestFor, type Said, saidBy } from "../ask-model.ts";
import type { Asking } from "../asking.ts";
import type { GoldenCase } from "../cases/case.ts";
import { digestOf } from "../cases/digest.ts";
import { type LiveCare, LiveWatch, pausedSeconds } from "../live-care.ts";
import { type AskingIo, Pace, paceOf, requireRequests } from "../parity/ask.ts";
import { drawInputs } from "../parity/order.ts";
import { fewestInputs, firstOf, tooFew } from "./inputs.ts";
import type { DriftMemory } from "./memory.ts";

/** How drift asks. */
export interface DriftAsking {
  readonly asking: Asking;
  /** `asked`: the live slot answers the same inputs. `recorded`: the cases say what it answered. */
  readonly live: "asked" | "recorded";
  /** Most inputs. */
  readonly inputs: number;
  /** Requests a second to each slot, at most. */
  readonly pace: number | undefined;
}

/** What a slot answered. */
export type Answer = Exclude<Said, { kind: "unanswered" }>;

export type Asked =
  /** `release`: not asked as long as the bins are not fixed. */
  | { readonly kind: "answers"; readonly live: Answer; readonly release: Answer | undefined }
  /** Nobody can say: the next look asks again. */
  | { readonly kind: "unanswered"; readonly why: string };

export type DriftSample =
  /** The file cannot be read, or a case in it is none. */
  | { readonly kind: "no-cases"; readonly why: string }
  /** It has been found: nobody is asked any more. */
  | { readonly kind: "over" }
  /** Live is left alone. */
  | { readonly kind: "paused"; readonly why: string }
  | {
      readonly kind: "answers";
      readonly digest: string;
      /** Inputs of the draw. */
      readonly inputs: number;
      /** In the order of the draw. */
      readonly asked: readonly Asked[];
      readonly requests: { readonly live: number; readonly release: number };
      readonly care: LiveCare;
      readonly strain: string | undefined;
    };

/** How long one look asks: the evidence of a look that is killed is asked for again. */
export const lookMs = 5_000;
const mostInOneLook = 500;
/** Above this pace one request after the other may be too slow. */
const sequentialPace = 10;
const workers = 8;

/** Asks with as many inputs as one look has time for. `seed`: decides their order. */
export async function askPredictions(
  io: AskingIo,
  memory: DriftMemory,
  how: DriftAsking,
  seed: string,
  signal: AbortSignal,
): Promise<DriftSample> {
  if (memory.found !== undefined) return { kind: "over" };
  const { clock, folder } = io.calls;
  const { readCases } = await import("../cases/read-cases.ts");
  let cases: readonly GoldenCase[];
  try {
    cases = await readCases(folder, how.asking.cases, how.live === "recorded" ? "expected" : "input");
    requireRequests(how.asking, cases);
  } catch (error) {
    if (!(error instanceof UserError) || isInterrupted(error)) throw error;
    return { kind: "no-cases", why: messageAndHint(error) };
  }
  const digest = digestOf(cases);
  const draw = drawInputs(
    cases.map(() => undefined),
    { inputs: how.inputs, seed, alpha: 1 },
  ).inputs;
  if (draw.length < fewestInputs) return { kind: "no-cases", why: tooFew(how.asking.cases, draw.length) };
  const pause = pausedSeconds(memory.care, clock.now());
  if (pause !== undefined) return { kind: "paused", why: `live is left alone for another ${pause} s` };
  const isLearning = memory.bins === undefined;
  const from = memory.cases === digest ? memory.next : 0;
  const lacking = Math.max(1, firstOf(draw.length) - memory.summed - memory.first.length);
  const most = isLearning ? Math.min(mostInOneLook, lacking) : mostInOneLook;
  // Where live is left alone, its clients do not matter.
  const clients = how.live === "recorded" ? undefined : await io.clientsRate?.(signal);
  const pace = paceOf(how.pace, clients, io.liveAskers);
  const turns = new Pace(clock, pace);
  const asked: Asked[] = [];
  const requests = { live: 0, release: 0 };
  const watch = new LiveWatch(memory.care);
  const until = clock.now() + lookMs;
  const queue = draw.slice(from, from + most).map(({ index }, place) => ({ place, one: cases[index] }));
  let isStopped = false;

  const said = async (route: "live" | "release", { input }: GoldenCase): Promise<Said> => {
    requests[route] += 1;
    const outcome = await io.ask({ route, ...requestFor(how.asking, input), signal });
    if (route === "live") watch.hear(outcome);
    if (watch.strain !== undefined) isStopped = true;
    return saidBy(how.asking, outcome);
  };
  const recorded = ({ expected }: GoldenCase): Said => ({ kind: "value", value: expected });
  const ask = async (one: GoldenCase): Promise<Asked> => {
    const isAsked = how.live === "asked";
    if (isAsked || !isLearning) await turns.turn(signal);
    // At the same moment: the time of day is no difference.
    const [live, release] = await Promise.all([
      isAsked ? said("live", one) : recorded(one),
      isLearning ? undefined : said("release", one),
    ]);
    if (live.kind === "unanswered") return { kind: "unanswered", why: `live: ${live.why}` };
    if (release?.kind === "unanswered") return { kind: "unanswered", why: release.why };
    return { kind: "answers", live, release };
  };
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !isStopped; next = queue.shift()) {
      if (next.one === undefined) continue;
      const answered = await ask(next.one);
      asked[next.place] = answered;
      if (answered.kind === "unanswered" || clock.now() >= until) isStopped = true;
    }
  };
  await Promise.all(Array.from({ length: pace > sequentialPace ? workers : 1 }, work));
  return {
    kind: "answers",
    digest,
    inputs: draw.length,
    // What was asked after one that nobody answered is asked again with it: nothing is counted twice, and nothing left out.
    asked: withoutGaps(asked),
    requests,
    care: watch.careAt(clock.now()),
    strain: watch.strain,
  };
}

function withoutGaps(asked: readonly (Asked | undefined)[]): readonly Asked[] {
  const whole: Asked[] = [];
  for (const one of Array.from(asked)) {
    if (one === undefined) break;
    whole.push(one);
    if (one.kind === "unanswered") break;
  }
  return whole;
}
