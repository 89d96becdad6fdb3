import { lnBeta } from "./special-functions.ts";

/** Weight of the prior, in requests. */
export const defaultKappa = 100;

/**
 * ln of the beta-binomial Bayes factor of x among n against the share p: its mean is 1 while p is right, so it is valid at any look.
 * Source: Lindon and Malek, arXiv 2011.03567 (two arms of their Dirichlet-multinomial; equal to the ssrm-test package); the same function is
 * Howard and Ramdas' two-sided beta-binomial mixture, arXiv 1906.09712.
 */
export function lnBetaBinomial(x: number, n: number, p: number, kappa = defaultKappa): number {
  if (n === 0) return 0;
  const a = kappa * p;
  const b = kappa * (1 - p);
  const likelihood = (x === 0 ? 0 : x * Math.log(p)) + (x === n ? 0 : (n - x) * Math.log1p(-p));
  return lnBeta(a + x, b + n - x) - lnBeta(a, b) - likelihood;
}

/** Requests of one step so far. */
export interface ShareSeen {
  readonly newRequests: number;
  readonly requests: number;
}

/** Chance that a right share is called wrong, over all steps of a release. */
const mismatchAlpha = 0.001;
/** A share that is off by less than this part of itself is called right, however many requests there are. */
const tolerated = 0.05;

/** By how many requests of the new slot a share may be off for reasons of which a bad release is one. */
export interface ShareSlack {
  /** So many may be missing: they are counted when they end. */
  readonly lack: number;
  /** So many may be too many: a controller that asks again after an error counts that again. */
  readonly excess: number;
}

/**
 * Whether a share that is off by what slow or failing answers explain, which are what is looked for: then it is no reason to doubt that they are
 * worse. Pure.
 */
export function isExplained(
  declared: number,
  { newRequests, requests }: ShareSeen,
  slack: ShareSlack,
): boolean {
  const off = (newRequests - declared * requests) / (1 - declared);
  return off <= slack.excess && -off <= slack.lack;
}

/** What a step's requests say of the share that was declared. */
export interface ShareVerdict {
  readonly kind: "as-declared" | "mismatch";
  readonly declared: number;
  /** `undefined`: no request yet. */
  readonly observed: number | undefined;
  readonly lnEvidence: number;
}

/**
 * Whether the new slot gets the share that is declared (0 to 1). A mismatch makes every comparing gate inconclusive: whether the same kind of
 * request reaches both slots is then in doubt. `steps`: of the rollout, each of which is checked by itself.
 */
export function judgeShare(
  declared: number,
  steps: number,
  { newRequests, requests }: ShareSeen,
): ShareVerdict {
  if (requests === 0 || declared <= 0 || declared >= 1) {
    return {
      kind: "as-declared",
      declared,
      observed: requests === 0 ? undefined : newRequests / requests,
      lnEvidence: 0,
    };
  }
  const observed = newRequests / requests;
  const lnEvidence = lnBetaBinomial(newRequests, requests, declared);
  const isOff = Math.abs(observed - declared) > tolerated * declared;
  const kind = lnEvidence >= Math.log(steps / mismatchAlpha) && isOff ? "mismatch" : "as-declared";
  return { kind, declared, observed, lnEvidence };
}
