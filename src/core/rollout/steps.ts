import { isShare } from "../routing.ts";
import type { ShiftStep } from "./state.ts";

/** Seconds per unit of a duration as people write it. */
const units = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;

/** Milliseconds of `30s`, `5m`, `1h`, `250ms`; a bare number is seconds. `undefined`: it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = (match[2] ?? "s") as keyof typeof units;
  return Number(match[1]) * units[unit] * 1000;
}

export type ParsedSteps =
  | { readonly kind: "steps"; readonly steps: readonly ShiftStep[]; readonly holdAtEndMs: number }
  | { readonly kind: "wrong"; readonly step: string; readonly why: string };

/** Of less, per cent, a proof would have to ask for an answer of that slot for too long. */
const leastShare = 0.5;

/**
 * The steps of a shift as people write them: `0.5%:10m, 5%:2m, 50%, 100%`. Shares grow, each may have a time for which it holds.
 * The last one, `100%`, may be left out; its time is added to the soak.
 */
export function parseSteps(text: string): ParsedSteps {
  const steps: ShiftStep[] = [];
  let holdAtEndMs = 0;
  let before = 0;
  for (const step of text.split(",").map((part) => part.trim())) {
    const match = /^(\d+(?:\.\d+)?)\s*%(?:\s*:\s*(\S+))?$/.exec(step);
    if (match === null) return { kind: "wrong", step, why: "is no step; write for example 25% or 25%:5m" };
    const weight = Number(match[1]);
    const holdMs = match[2] === undefined ? 0 : parseDuration(match[2]);
    if (holdMs === undefined) {
      return {
        kind: "wrong",
        step,
        why: `has no valid time after the colon; write for example 30s, 5m or 1h`,
      };
    }
    const isBetween = weight >= leastShare && weight <= 100 - leastShare;
    if (!isBetween && weight !== 100) {
      return { kind: "wrong", step, why: `must be from ${leastShare}% to ${100 - leastShare}%, or 100%` };
    }
    if (!isShare(weight)) return { kind: "wrong", step, why: "has more than two decimals" };
    if (weight <= before) return { kind: "wrong", step, why: `must be more than the ${before}% before it` };
    before = weight;
    if (weight === 100) holdAtEndMs = holdMs;
    else steps.push({ weight, holdMs });
  }
  return { kind: "steps", steps, holdAtEndMs };
}
