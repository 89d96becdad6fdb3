import { driftBets, passBets } from "./bets.ts";
import { type Block, swapped } from "./block.ts";
import { defaultBeta, driftBadLine, driftLine } from "./lines.ts";
import { lnMeanExp } from "./logarithms.ts";
import { capOf, lnEvidence, noShares, type ShareMemory, type ShareTest, withBlock } from "./share-process.ts";

/**
 * Drift of the predictions between the slots, on different inputs: everything becomes bins (labels, deciles of a score or a length, cosines to
 * live's mean direction), and each bin is compared both ways by the share process. The gate is the mean of all, which is valid under any
 * dependence. The margins are the size of an effect: nothing small is ever found, at any number of requests.
 */
export interface DriftMemory {
  /** Of each bin: whether the new slot has more of it, and whether live has. */
  readonly bins: readonly { readonly more: ShareMemory; readonly less: ShareMemory }[];
}

/** Predictions by bin in one block. */
export interface BinnedBlock {
  readonly new: readonly number[];
  readonly live: readonly number[];
}

/** The test of one bin. `alpha`: of the gate. */
export function driftTest(alpha?: number): ShareTest {
  return { line: driftLine, bets: driftBets, ...(alpha === undefined ? {} : { cap: capOf(alpha) }) };
}

export function noDrift(test: ShareTest, bins: number): DriftMemory {
  const nothing = noShares(test);
  return { bins: Array.from({ length: bins }, () => ({ more: nothing, less: nothing })) };
}

export function withPredictions(test: ShareTest, { bins }: DriftMemory, block: BinnedBlock): DriftMemory {
  return {
    bins: bins.map(({ more, less }, index) => {
      const bin = ofBin(block, index);
      return { more: withBlock(test, more, bin), less: withBlock(test, less, swapped(bin)) };
    }),
  };
}

function ofBin(block: BinnedBlock, index: number): Block {
  return {
    newEvents: block.new[index] ?? 0,
    newRequests: sum(block.new),
    liveEvents: block.live[index] ?? 0,
    liveRequests: sum(block.live),
  };
}

/** ln of the mean evidence of all bins, both ways: the gate fires at ln(1/alpha). */
export function lnDrift(test: ShareTest, { bins }: DriftMemory): number {
  return lnMeanExp(bins.flatMap(({ more, less }) => [lnEvidence(test, more), lnEvidence(test, less)]));
}

/** Of each bin, that the new slot has not more of it than is bad, and live neither. */
export type AlikeMemory = DriftMemory["bins"];

const alikeTest: ShareTest = { line: driftBadLine, bets: passBets };

export function noneAlike(bins: number): AlikeMemory {
  return noDrift(alikeTest, bins).bins;
}

export function withAlike(bins: AlikeMemory, block: BinnedBlock): AlikeMemory {
  return withPredictions(alikeTest, { bins }, block).bins;
}

/**
 * Whether all bins are shown to be under the bad line, both ways. Each has to be: while one is on or over it, the chance to show them all is at most
 * beta.
 */
export function isAlike(bins: AlikeMemory, beta: number = defaultBeta): boolean {
  const isShown = (share: ShareMemory) => lnEvidence(alikeTest, share) >= Math.log(1 / beta);
  return bins.length > 0 && bins.every(({ more, less }) => isShown(more) && isShown(less));
}

/** Population stability index, 0.5 added to each bin: 0.1 is noticeable, 0.25 large by banking's custom; no theorem. */
export function stabilityIndex({ new: now, live }: BinnedBlock): number {
  const half = (counts: readonly number[]) => {
    const total = sum(counts) + 0.5 * counts.length;
    return counts.map((count) => (count + 0.5) / total);
  };
  const a = half(now);
  const b = half(live);
  return a.reduce((total, p, index) => {
    const q = b[index] ?? 1;
    return total + (p - q) * Math.log(p / q);
  }, 0);
}

/** What the index is in the mean where nothing drifts: to be subtracted before it is read. */
export function stabilityWithoutDrift({ new: now, live }: BinnedBlock): number {
  return (now.length - 1) * (1 / sum(now) + 1 / sum(live));
}

/** Jensen and Shannon's distance, 0 to 1: the root of the divergence in bits. */
export function jensenShannonDistance({ new: now, live }: BinnedBlock): number {
  const n = sum(now);
  const m = sum(live);
  let divergence = 0;
  for (let index = 0; index < now.length; index++) {
    const p = (now[index] ?? 0) / n;
    const q = (live[index] ?? 0) / m;
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, divergence));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
