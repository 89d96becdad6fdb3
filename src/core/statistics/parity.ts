import { shareInterval } from "./intervals.ts";
import { pairMargins } from "./lines.ts";
import { type Counted, lnOneSample, oneSampleFail, oneSamplePass } from "./one-sample.ts";
import { lnPairsFail, lnPairsPass, type PairCounts } from "./pairs.ts";

/** How the undivided verdict of parity is found, fixed before the new slot is asked for the first time. */
export type ParityForm =
  /** The new answers against live's first ones, by the noise of live's own that was measured before. */
  | { readonly kind: "one-sample"; readonly share: number; readonly weight: number }
  /** Live is asked again beside each new answer. */
  | { readonly kind: "pairs" };

/** Inputs on which live is compared with itself. */
export const noiseInputs = 1000;

/** Upper limit of live's own noise up to which it is taken once and for all. */
const highestNoise = 0.03;

/** The part of the gate's alpha that the measurement of the noise takes. */
const noisePart = 0.25;

/** Upper limit of the share in which live differs from itself, x of n, at any look. `alpha`: the metric's own. */
export function noiseLimit(x: number, n: number, alpha: number): number {
  return shareInterval(x, n, noisePart * alpha).high;
}

/** The form that the measurement leads to. A union bound covers any dependence between the two phases. */
export function parityForm(noise: Counted, alpha: number, margin: number = pairMargins.fail): ParityForm {
  const limit = noiseLimit(noise.events, noise.requests, alpha);
  if (noise.requests === 0 || limit > highestNoise) return { kind: "pairs" };
  return { kind: "one-sample", share: limit + margin, weight: 1 - noisePart };
}

/** ln of the evidence against parity, its weight counted in. */
export function lnParityFail(form: ParityForm, seen: PairCounts, margin: number = pairMargins.fail): number {
  switch (form.kind) {
    case "one-sample":
      return Math.log(form.weight) + lnOneSample(oneSampleFail(form.share), differing(seen));
    case "pairs":
      return lnPairsFail(seen, margin);
  }
}

/** ln of the evidence for parity. By one sample live's noise is taken as 0: the careful side. */
export function lnParityPass(
  form: ParityForm,
  seen: PairCounts,
  badMargin: number = pairMargins.bad,
): number {
  switch (form.kind) {
    case "one-sample":
      return lnOneSample(oneSamplePass(badMargin), differing(seen));
    case "pairs":
      return lnPairsPass(seen, badMargin);
  }
}

/** By one sample a pair is only whether the answers differ: scored +1 or 0. */
function differing({ pairs, newOnly }: PairCounts): Counted {
  return { requests: pairs, events: newOnly };
}
