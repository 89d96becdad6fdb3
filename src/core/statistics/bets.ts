import type { Line } from "./lines.ts";

/** For what a process looks: that the new slot is over a line, or that it is under it. */
export type Direction = "fail" | "pass";

/** Rates of the new slot that a process bets on, chosen from the past alone, each with its weight; the weights sum to 1. */
export interface Bets {
  readonly direction: Direction;
  /** Multiples of the line's own rate. */
  readonly ratios: readonly number[];
  /**
   * One bet more. A line: on the rate that is bad, for which the process is to be quick. `live`: on the rate that live has.
   * @default none
   */
  readonly design?: Line | "live";
}

const halves = (ratios: number, isDesigned: boolean) => (isDesigned ? 0.5 : 1) / ratios;

/** Against the fail line: from 1.2 to 100 times as much, and the bad line with half of the weight. */
export function failBets(bad: Line): Bets {
  return { direction: "fail", ratios: [1.2, 1.5, 2, 3, 5, 10, 30, 100], design: bad };
}

/** Against an absolute share where nothing says how bad is bad. */
export const absoluteFailBets: Bets = { direction: "fail", ratios: [1.2, 1.5, 2, 3, 5, 10, 30, 100] };

/** Against the bad line: from a fiftieth to 0.85 of it, and live's own rate with half of the weight. */
export const passBets: Bets = {
  direction: "pass",
  ratios: [0.02, 0.1, 0.25, 0.5, 0.7, 0.85],
  design: "live",
};

/** Against an absolute bad share, where live is not looked at. */
export const absolutePassBets: Bets = { direction: "pass", ratios: passBets.ratios };

/** Of one bin of the predictions. */
export const driftBets: Bets = { direction: "fail", ratios: [1.2, 1.5, 2, 4] };

/** The weights of the bets, in the order of `expectedRates`. */
export function betWeights({ ratios, design }: Bets): readonly number[] {
  const each = halves(ratios.length, design !== undefined);
  return [...ratios.map(() => each), ...(design === undefined ? [] : [0.5])];
}

const leastRate = 1e-9;
const highestRate = 0.999;

/** Live's rate, kept away from 0 and 1 where logarithms end. */
export function clampedLive(rate: number): number {
  return Math.min(0.99, Math.max(leastRate, rate));
}

/** The rates of the new slot that the bets expect, where live's is `live`: never on the wrong side of the line. */
export function expectedRates(
  { direction, ratios, design }: Bets,
  line: Line,
  live: number,
): readonly number[] {
  const onLine = Math.min(0.99, line.ratio * live + line.margin);
  const rates = ratios.map((ratio) => ratio * onLine);
  if (design !== undefined) rates.push(design === "live" ? live : design.ratio * live + design.margin);
  return rates.map((rate) => {
    const clamped = Math.min(highestRate, Math.max(leastRate, rate));
    return direction === "fail" ? Math.max(onLine, clamped) : Math.min(onLine, clamped);
  });
}
