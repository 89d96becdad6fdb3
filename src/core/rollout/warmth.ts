/** Answers in a row over which latency is compared. */
const windowSize = 5;
/** How much the slowest of them may take, relative to the fastest. */
const spread = 1.5;
/** Differences below this are noise, milliseconds. */
const noiseMs = 5;

/**
 * Whether a replica's latency has stabilised: the last answers are about as fast as each other, and no slower than those before
 * them. A model that compiles, fills caches or loads lazily gets faster first. Pure.
 */
export function isWarm(latencies: readonly number[]): boolean {
  if (latencies.length < 2 * windowSize) return false;
  const last = latencies.slice(-windowSize);
  const before = latencies.slice(-2 * windowSize, -windowSize);
  const close = (a: number, b: number) => a <= Math.max(b * spread, b + noiseMs);
  return close(Math.max(...last), Math.min(...last)) && close(Math.min(...before), Math.min(...last));
}

/** Factor of live's latency, and a margin in milliseconds, over which a replica may be cold. */
const coldFactor = 2;
const coldMarginMs = 20;

/**
 * Whether the last answers all took so much longer than live's to the same request that the replica may be cold all the same: what loads or compiles in the
 * background is equally slow until it is done. `live`: milliseconds, some of its answers; none: nobody knows. Pure.
 */
export function isSlowBeside(latencies: readonly number[], live: readonly number[]): boolean {
  const usual = live.toSorted((a, b) => a - b)[Math.floor(live.length / 2)];
  if (usual === undefined) return false;
  return Math.min(...latencies.slice(-windowSize)) > Math.max(coldFactor * usual, usual + coldMarginMs);
}
