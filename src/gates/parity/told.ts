import { z } from "zod";
import type { Facts } from "../protocols/protocol.ts";

/** What answers of language models tell beside their text: shown, never judged by parity. */
export const told = z.object({
  /** How often answers ended for a reason. */
  finish: z.record(z.string(), z.number()),
  /** Of the newest streams, milliseconds and tokens a second. */
  firstTokenMs: z.array(z.number()),
  tokensPerSecond: z.array(z.number()),
});
export type Told = z.infer<typeof told>;

export const nothingTold: Told = { finish: {}, firstTokenMs: [], tokensPerSecond: [] };

const keptReasons = 10;
const keptTimes = 100;

/** Pure. */
export function withFacts(before: Told, facts: Facts | undefined): Told {
  if (facts === undefined) return before;
  const { finish, firstTokenMs, tokensPerSecond } = facts;
  const reason = finish?.slice(0, 30);
  const isKept =
    reason !== undefined &&
    (Object.hasOwn(before.finish, reason) || Object.keys(before.finish).length < keptReasons);
  return {
    finish: isKept
      ? {
          ...before.finish,
          [reason]: (Object.hasOwn(before.finish, reason) ? (before.finish[reason] ?? 0) : 0) + 1,
        }
      : before.finish,
    firstTokenMs: kept(before.firstTokenMs, firstTokenMs),
    tokensPerSecond: kept(before.tokensPerSecond, tokensPerSecond),
  };
}

function kept(values: readonly number[], one: number | undefined): number[] {
  return one === undefined ? [...values] : [...values, Number(one.toPrecision(4))].slice(-keptTimes);
}

/** For a report; `undefined`: they tell nothing. Pure. */
export function toldData({ finish, firstTokenMs, tokensPerSecond }: Told): object | undefined {
  if (Object.keys(finish).length === 0 && firstTokenMs.length === 0) return undefined;
  return {
    finish,
    medianFirstTokenMs: median(firstTokenMs),
    medianTokensPerSecond: median(tokensPerSecond),
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
