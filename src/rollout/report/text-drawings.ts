import type { Estimate } from "../record/rollout-report.ts";

const levels = [..."▁▂▃▄▅▆▇█"];

/** A line of text that goes up and down with the values; a gap where one is unknown. Pure. */
export function sparkline(values: readonly (number | null)[], top?: number): string {
  const known = values.filter((value) => value !== null);
  const high = top ?? Math.max(...known, 0);
  const low = Math.min(0, ...known);
  return values
    .map((value) => {
      if (value === null) return " ";
      const part = high > low ? (Math.min(value, high) - low) / (high - low) : 0;
      return levels[Math.min(levels.length - 1, Math.floor(part * levels.length))] ?? " ";
    })
    .join("");
}

const cells = 32;

/** A share with its bounds on a scale from 0 to `top`: `╶──●────╴`. Pure. */
export function intervalBar(estimate: Estimate["live"], top: number): string {
  if (estimate === null || estimate.share === null) return "";
  const { share, low, high } = estimate;
  const place = (value: number) => Math.round((Math.min(value, top) / top) * (cells - 1));
  const [from, middle, to] = [place(low), place(share), place(high)];
  return Array.from({ length: cells }, (_, index) => {
    if (index === middle) return "●";
    return index >= from && index <= to ? "─" : "·";
  }).join("");
}
