import { z } from "zod";
import type { IngressOutcome } from "./io.ts";

/**
 * Care for the live slot, which clients use: requests of our own stop for a while when its answers become slow or fail. A protection, no verdict.
 * What is compared with is how it answered the first of them.
 */
export const liveCare = z.object({
  /** Milliseconds of the first answers, and how many requests got none. */
  first: z.array(z.number()),
  firstFailed: z.number().int().min(0),
  /** The newest ones; -1: no answer. */
  recent: z.array(z.number()),
  /** Milliseconds since the Unix epoch. @default not paused */
  pausedUntil: z.number().optional(),
  /** Pauses in a row. */
  pauses: z.number().int().min(0),
});
export type LiveCare = z.infer<typeof liveCare>;

export const unknownLive: LiveCare = { first: [], firstFailed: 0, recent: [], pauses: 0 };

/** Answers that say how live is by itself, and those that are compared with them. */
const firstAnswers = 40;
const recentAnswers = 20;
/** Of the recent ones: slower than any usual answer, by so much; or without an answer. */
const slowFactor = 2;
const slowMarginMs = 100;
const mostSlow = 10;
const mostFailed = 3;
const pauseMs = 30_000;
/** Pauses in a row after which somebody has to look. */
export const patientPauses = 5;

/** What one more request to live adds. `latencyMs` of `undefined`: there was no answer. Pure. */
export function withLiveAnswer(care: LiveCare, latencyMs: number | undefined): LiveCare {
  if (care.first.length + care.firstFailed < firstAnswers) {
    return latencyMs === undefined
      ? { ...care, firstFailed: care.firstFailed + 1 }
      : { ...care, first: [...care.first, Math.round(latencyMs)] };
  }
  const recent = [...care.recent, latencyMs === undefined ? -1 : Math.round(latencyMs)].slice(-recentAnswers);
  return { ...care, recent };
}

/** Why live is to be left alone; `undefined`: it is as it was. Pure. */
export function strainOf({ first, firstFailed, recent }: LiveCare): string | undefined {
  if (recent.length < recentAnswers) return undefined;
  const usual = first.toSorted((a, b) => a - b)[Math.ceil(0.95 * first.length) - 1];
  const failed = recent.filter((one) => one < 0).length;
  if (failed >= mostFailed + Math.ceil((2 * recentAnswers * firstFailed) / firstAnswers)) {
    return `${failed} of the last ${recent.length} requests to live got no answer`;
  }
  if (usual === undefined) return undefined;
  const limit = slowFactor * usual + slowMarginMs;
  const slow = recent.filter((one) => one > limit).length;
  return slow > mostSlow
    ? `${slow} of live's last ${recent.length} answers took longer than ${Math.round(limit)} ms, when 95 % of the first took up to ${usual} ms`
    : undefined;
}

/** For how many seconds more live is left alone; `undefined`: it is not. Pure. */
export function pausedSeconds({ pausedUntil }: LiveCare, now: number): number | undefined {
  return pausedUntil !== undefined && now < pausedUntil ? Math.ceil((pausedUntil - now) / 1000) : undefined;
}

/** Leaves live alone from now on, for a while. Pure. */
export function paused(care: LiveCare, now: number): LiveCare {
  return { ...care, recent: [], pausedUntil: now + pauseMs, pauses: care.pauses + 1 };
}

/** A while without strain. Pure. */
export function rested(care: LiveCare): LiveCare {
  const { pausedUntil: _, ...rest } = care;
  return care.recent.length < recentAnswers ? rest : { ...rest, pauses: 0 };
}

/** The care of one look: hears each outcome of a request to live, and says once it is to be left alone. */
export class LiveWatch {
  #care: LiveCare;
  #strain: string | undefined;

  constructor(before: LiveCare) {
    this.#care = rested(before);
  }

  /** Why live is to be left alone; `undefined`: it is as it was. What was heard of it stays. */
  get strain(): string | undefined {
    return this.#strain;
  }

  hear(outcome: IngressOutcome): void {
    if (outcome.kind === "unreachable") return;
    const isAnswer = outcome.kind === "answer" && outcome.answer.status < 500;
    this.#care = withLiveAnswer(this.#care, isAnswer ? outcome.latencyMs : undefined);
    this.#strain ??= strainOf(this.#care);
  }

  /** What is remembered of it. */
  careAt(now: number): LiveCare {
    return this.#strain === undefined ? this.#care : paused(this.#care, now);
  }
}
