/** Median, smallest and largest of some durations in milliseconds. */
export interface Summary {
  readonly median: number;
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
    minimum: at(0),
    maximum: at(sorted.length - 1),
    runs: sorted.length,
  };
}

export function line(what: string, summary: Summary): string {
  const ms = (value: number) => `${Math.round(value)} ms`.padStart(9);
  return `${what.padEnd(58)}${ms(summary.median)}${ms(summary.minimum)}${ms(summary.maximum)}   ${summary.runs} runs`;
}

export const heading = `${"".padEnd(58)}${"median".padStart(9)}${"least".padStart(9)}${"most".padStart(9)}`;

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
