/** Median, smallest and largest of some durations in milliseconds. */
export interface Summary {
  readonly median: number;
  /** 99 of 100 took no longer. */
  readonly p99: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly runs: number;
}

export function summarise(durations: readonly number[]): Summary {
  const sorted = [...durations].sort((a, b) => a - b);
  const at = (index: number) => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    p99: at(Math.ceil(sorted.length * 0.99) - 1),
    minimum: at(0),
    maximum: at(sorted.length - 1),
    runs: sorted.length,
  };
}

/** A row of the table; `floor` is what it is compared with, and then the row says how many times as long it took. */
export function line(what: string, summary: Summary, floor?: Summary): string {
  const ms = (value: number) => `${Math.round(value)} ms`.padStart(10);
  const ratio = floor === undefined ? "" : `${(summary.median / floor.median).toFixed(2)}×`;
  return `${what.padEnd(66)}${ms(summary.median)}${ms(summary.minimum)}${ms(summary.maximum)}${String(summary.runs).padStart(6)}${ratio.padStart(9)}`;
}

export const heading = `${"".padEnd(66)}${"median".padStart(10)}${"least".padStart(10)}${"most".padStart(10)}${"runs".padStart(6)}${"of floor".padStart(9)}`;

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
