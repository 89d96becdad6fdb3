import type { Clock } from "../../core/clock.ts";
import { isInterrupted, messageAndHint, UserError } from "../../core/errors.ts";
import { requestFor, type Said, saidBy } from "../ask-model.ts";
import type { Asking } from "../asking.ts";
import type { GoldenCase } from "../cases/case.ts";
import { loaded } from "../cases/comparator.ts";
import type { Comparison } from "../cases/compare.ts";
import { digestOf } from "../cases/digest.ts";
import type { GateIo } from "../io.ts";
import { type LiveCare, LiveWatch, pausedSeconds } from "../live-care.ts";
import { noAnswer } from "../no-answer.ts";
import type { ParityMemory } from "./memory.ts";
import { type Draw, drawInputs, segmentOf } from "./order.ts";
import { asksAgain, type Heard, type Pair, type Scored, scored, scoredByRight } from "./score.ts";

/** What it takes to ask a model, inside a rollout or outside. */
export interface AskingIo extends Pick<GateIo, "ask" | "clientsRate" | "liveAskers"> {
  readonly calls: Pick<GateIo["calls"], "clock" | "folder">;
}

/** How parity asks. */
export interface ParityAsking {
  readonly asking: Asking;
  /** `each-other`: live's answers are what is compared with, `right`: those that the cases declare. */
  readonly against: "each-other" | "right";
  /** Dot-separated path into the input. */
  readonly segments: string | undefined;
  /** Most inputs. */
  readonly inputs: number;
  /** Requests a second to the live slot, at most. */
  readonly pace: number | undefined;
  /** The gate's own part. */
  readonly alpha: number;
}

export type Asked =
  | { readonly kind: "pair"; readonly place: number; readonly pair: Pair; readonly scored: Scored }
  /** Live takes it for no input. */
  | { readonly kind: "refused"; readonly place: number; readonly why: string }
  /** Nobody can say: it is asked again. */
  | { readonly kind: "unanswered"; readonly place: number; readonly why: string };

export type ParitySample =
  /** The file cannot be read, or a case in it is none. */
  | { readonly kind: "no-cases"; readonly why: string }
  /** Live is left alone. */
  | { readonly kind: "paused"; readonly why: string }
  | {
      readonly kind: "pairs";
      readonly digest: string;
      readonly draw: Draw;
      readonly cases: readonly GoldenCase[];
      readonly asked: readonly Asked[];
      readonly requests: { readonly live: number; readonly release: number };
      readonly care: LiveCare;
      readonly strain: string | undefined;
    };

/** How long one look asks: the evidence of a look that is killed is asked for again. */
const lookMs = 5_000;
const mostInOneLook = 500;
/** Above this pace one request after the other may be too slow. */
const sequentialPace = 10;
const workers = 8;
const leastPace = 1;
const unknownPace = 5;

/** Asks both slots with as many inputs as one look has time for. `seed`: decides which, and in which order. */
export async function askPairs(
  io: AskingIo,
  memory: ParityMemory,
  how: ParityAsking,
  seed: string,
  signal: AbortSignal,
  mostMs = lookMs,
): Promise<ParitySample> {
  const { clock, folder } = io.calls;
  const { readCases } = await import("../cases/read-cases.ts");
  let cases: readonly GoldenCase[];
  let comparison: Comparison;
  try {
    comparison = await loaded(folder, how.asking.comparison);
    cases = await readCases(folder, how.asking.cases, how.against === "right" ? "expected" : "input");
    requireRequests(how.asking, cases);
  } catch (error) {
    if (!(error instanceof UserError) || isInterrupted(error)) throw error;
    return { kind: "no-cases", why: messageAndHint(error) };
  }
  const digest = digestOf(cases);
  const draw = drawOf(cases, how, seed);
  const pause = pausedSeconds(memory.care, clock.now());
  if (pause !== undefined) return { kind: "paused", why: `live is left alone for another ${pause} s` };
  const isSame = memory.cases === digest;
  const places = [
    ...(isSame ? memory.again : []),
    ...draw.inputs.map((_, place) => place).slice(isSame ? memory.next : 0),
  ].slice(0, mostInOneLook);
  const pace = paceOf(how.pace, await io.clientsRate?.(signal), io.liveAskers);
  const run = new Run(
    io,
    pace,
    { ...how, asking: { ...how.asking, comparison } },
    new LiveWatch(memory.care),
    clock.now() + Math.min(lookMs, mostMs),
    signal,
  );
  const isWide = pace > sequentialPace;
  const queue = places.map((place) => ({ place, drawn: draw.inputs[place] }));
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !run.isOver; next = queue.shift()) {
      const { place, drawn } = next;
      const one = drawn === undefined ? undefined : cases[drawn.index];
      if (one === undefined) continue;
      await run.ask(place, one);
    }
  };
  try {
    await Promise.all(Array.from({ length: isWide ? workers : 1 }, work));
  } catch (error) {
    // A comparator that fails is no verdict on the model.
    if (!(error instanceof UserError) || isInterrupted(error)) throw error;
    return { kind: "no-cases", why: messageAndHint(error) };
  }
  const { asked, requests, live } = run;
  const care = live.careAt(clock.now());
  return { kind: "pairs", digest, draw, cases, asked, requests, care, strain: live.strain };
}

/** Whether each input can be asked, which is known after the first look. */
const usable = new WeakMap<readonly GoldenCase[], Asking>();

/** Throws UserError where one of them is no input of the protocol. */
export function requireRequests(asking: Asking, cases: readonly GoldenCase[]): void {
  if (usable.get(cases) === asking) return;
  for (const { input } of cases) requestFor(asking, input);
  usable.set(cases, asking);
}

/** Each look draws the same. */
const drawn = new WeakMap<readonly GoldenCase[], { readonly key: string; readonly draw: Draw }>();

function drawOf(cases: readonly GoldenCase[], { segments, inputs, alpha }: ParityAsking, seed: string): Draw {
  const key = JSON.stringify([segments ?? null, inputs, alpha, seed]);
  const before = drawn.get(cases);
  if (before?.key === key) return before.draw;
  const names = cases.map((one) => segmentOf(one, segments));
  const draw = drawInputs(names, { inputs, seed, alpha: alpha / 2 });
  drawn.set(cases, { key, draw });
  return draw;
}

/**
 * Requests a second to live: a tenth of those that clients send there, at least one, at most what somebody said; where nobody counts what was
 * said, or a few. `askers`: gates that share the tenth. Pure.
 */
export function paceOf(said: number | undefined, clients: number | undefined, askers = 1): number {
  if (clients === undefined) return said ?? unknownPace;
  return Math.min(said ?? Number.POSITIVE_INFINITY, Math.max(leastPace, clients / 10) / Math.max(1, askers));
}

/** One look. */
class Run {
  readonly asked: Asked[] = [];
  readonly requests = { live: 0, release: 0 };
  readonly live: LiveWatch;
  readonly #io: AskingIo;
  readonly #how: ParityAsking;
  readonly #until: number;
  readonly #signal: AbortSignal;
  readonly #pace: Pace;
  #isStopped = false;

  constructor(
    io: AskingIo,
    pace: number,
    how: ParityAsking,
    live: LiveWatch,
    until: number,
    signal: AbortSignal,
  ) {
    this.#io = io;
    this.#how = how;
    this.live = live;
    this.#until = until;
    this.#signal = signal;
    this.#pace = new Pace(io.calls.clock, pace);
  }

  get isOver(): boolean {
    return this.#isStopped || this.#io.calls.clock.now() >= this.#until;
  }

  async ask(place: number, one: GoldenCase): Promise<void> {
    const { comparison } = this.#how.asking;
    await this.#pace.turn(this.#signal);
    // At the same moment: the time of day is no difference.
    const [live, release] = await Promise.all([this.#said("live", one), this.#said("release", one)]);
    if (live.kind === "unanswered") return this.#unanswered(place, `live: ${live.why}`);
    if (release.kind === "unanswered") return this.#unanswered(place, release.why);
    if (live.kind === "refused") return this.#refused(place, live.why);
    if (this.#how.against === "right") {
      const pair = { live, again: undefined, release };
      this.asked.push({ kind: "pair", place, pair, scored: scoredByRight(comparison, one.expected, pair) });
      return;
    }
    const silent = live.kind === "value" ? noAnswer(this.#how.asking, live.value) : undefined;
    if (silent !== undefined) return this.#refused(place, silent);
    let again: Heard | undefined;
    if (asksAgain(comparison, { live, release })) {
      await this.#pace.turn(this.#signal);
      const second = await this.#said("live", one);
      if (second.kind === "unanswered") return this.#unanswered(place, `live: ${second.why}`);
      again = second;
    }
    const pair = { live, again, release };
    this.asked.push({ kind: "pair", place, pair, scored: scored(comparison, pair) });
  }

  #refused(place: number, why: string): void {
    this.asked.push({ kind: "refused", place, why });
  }

  /** The next look goes on with it. */
  #unanswered(place: number, why: string): void {
    this.asked.push({ kind: "unanswered", place, why });
    this.#isStopped = true;
  }

  async #said(route: "live" | "release", one: GoldenCase): Promise<Said> {
    const { asking } = this.#how;
    this.requests[route] += 1;
    const outcome = await this.#io.ask({ route, ...requestFor(asking, one.input), signal: this.#signal });
    if (route === "live") this.live.hear(outcome);
    if (this.live.strain !== undefined) this.#isStopped = true;
    return saidBy(asking, outcome);
  }
}

/** So many requests a second, evenly. */
export class Pace {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #next = 0;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#everyMs = 1000 / perSecond;
  }

  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#everyMs;
    if (at > now) await this.#clock.sleep(at - now, signal);
  }
}
