import { sharedOut } from "../../../src/core/statistics/alpha.ts";
import { shortestBlockMs } from "../../../src/core/statistics/block.ts";
import { boundQuantiles } from "../../../src/core/statistics/exceedance.ts";
import {
  defaultAlpha,
  defaultBeta,
  errorLines,
  pairMargins,
  slowLines,
} from "../../../src/core/statistics/lines.ts";
import { lnPairsFail, lnPairsPass } from "../../../src/core/statistics/pairs.ts";
import { requestsUntilFail, requestsUntilPass } from "../../../src/core/statistics/power.ts";
import { capOf } from "../../../src/core/statistics/share-process.ts";
import { alphaParts } from "../../../src/gates/performance.ts";
import { type GateName, speedRate, statistical } from "./gates.ts";
import type { Kind, Sight } from "./kinds.ts";

/** What every kind of the zoo has: the chance that its gates see what they should. */
export const wantedPower = 0.999;
/** Plans are this much longer than the approximation says, as those of the product. */
const reserve = 1.1;
export const blockSeconds = shortestBlockMs / 1000;

/** The part of alpha that a gate has beside the others of its kind. */
export function alphaOfGate(kind: Kind, gate: GateName): number {
  const weights = Object.fromEntries(
    kind.gates.filter((one) => statistical.has(one)).map((one) => [one, 1] as const),
  );
  const part = sharedOut(defaultAlpha, weights)[gate] ?? defaultAlpha;
  return gate === "speed" ? part * alphaParts.first : part;
}

/** The chance that a kind ends as it should, as far as one sight goes: at least this. What falls into bins is drawn, see `drawnDrifts`. */
export function powerOf(kind: Kind, sight: Exclude<Sight, { by: "bins" }>): number {
  switch (sight.by) {
    case "certainty":
      return 1;
    case "pairs":
      return powerOfPairs(kind, sight);
    case "shares":
      return requestsNeeded(kind, sight) <= requestsIn(kind, sight) ? wantedPower : 0;
    case "count": {
      // As many as come in that time, less what comes seldom: a normal bound of the Poisson distribution.
      const mean = (kind.rate * sight.seconds * kind.step.percent) / 100;
      return mean - 3.1 * Math.sqrt(mean) >= sight.requests ? wantedPower : 0;
    }
  }
}

/** Whether a gate of a kind has to pass: all of those that do not send it back. */
export function isToPass({ ending }: Kind, gate: GateName): boolean {
  return ending.kind === "completes" || ending.gate !== gate;
}

/** Requests of both slots that a sight has. */
export function requestsIn(kind: Kind, sight: Extract<Sight, { by: "shares" }>): number {
  return sight.seconds * requestsPerSecond(kind, sight.gate);
}

/** Requests a second that are compared. */
export function requestsPerSecond({ rate }: Kind, gate: "clients" | "speed"): number {
  // Those of the gate itself go to both slots, and are a tenth of clients' at most.
  return gate === "clients" ? rate : 2 * Math.min(speedRate, rate / 10);
}

/** Requests of both slots with which the product's own plan sees it with the power that is wanted. */
export function requestsNeeded(kind: Kind, sight: Extract<Sight, { by: "shares" }>): number {
  const isOfClients = sight.gate === "clients";
  const lines = isOfClients ? errorLines : slowLines;
  const alpha = alphaOfGate(kind, sight.gate) / (isOfClients ? 1 : boundQuantiles.length);
  const share = isOfClients ? kind.step.percent / 100 : 0.5;
  // Rates of 0 have no logarithm.
  const rates = { live: Math.max(1e-6, sight.live), new: Math.max(1e-6, sight.new), share };
  const isGood = isToPass(kind, sight.gate);
  const rate = requestsPerSecond(kind, sight.gate);
  const needed = isGood
    ? requestsUntilPass(wantedPower, rates, lines, defaultBeta)
    : requestsUntilFail(wantedPower, rates, lines, {
        alpha,
        startWeight: 1,
        capped: { cap: capOf(alpha), requestsPerBlock: rate * blockSeconds, variance: "capped" },
      });
  // No fail before the third block, and the first readings fix where to begin.
  const blocks = isGood ? 1 : 4;
  const least = blocks * blockSeconds * rate;
  return Math.max(least, reserve * needed);
}

/**
 * The chance that all inputs together say it. The gate looks after each few of them, and a fail is final: it sees it sooner, and not with less
 * chance. Segments have half of alpha, and what they see comes on top.
 */
function powerOfPairs(kind: Kind, { gate, against, inputs }: Extract<Sight, { by: "pairs" }>): number {
  const limit = Math.log(2 / alphaOfGate(kind, gate));
  const isGood = isToPass(kind, gate);
  const margin = gate === "accuracy" ? 0.005 : pairMargins.fail;
  const bad = margin + pairMargins.bad - pairMargins.fail;
  let power = 0;
  for (let newOnly = 0; newOnly <= inputs; newOnly++) {
    const counts = { pairs: inputs, newOnly, liveOnly: 0 };
    const isSeen = isGood
      ? lnPairsPass(counts, bad) >= Math.log(1 / defaultBeta) && lnPairsFail(counts, margin) < limit
      : lnPairsFail(counts, margin) >= limit;
    if (isSeen) power += binomial(inputs, newOnly, against);
  }
  return Math.min(1, power);
}

function binomial(n: number, k: number, p: number): number {
  if (p === 0) return k === 0 ? 1 : 0;
  let ln = k * Math.log(p) + (n - k) * Math.log1p(-p);
  for (let index = 1; index <= k; index++) ln += Math.log((n - k + index) / index);
  return Math.exp(ln);
}
