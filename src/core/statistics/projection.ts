import type { Block } from "./block.ts";
import type { Line } from "./lines.ts";

/** Rates of events that a bet expects of the two slots. */
export interface Expected {
  readonly new: number;
  readonly live: number;
}

/**
 * Live's rate at the point of the line that is nearest to what is expected: the argmin over x of
 * `newRequests*kl(expected.new, ratio*x + margin) + liveRequests*kl(expected.live, x)`. Weights may be shares in place of counts. Source:
 * Turner and Gruenwald, arXiv 2302.11401 (projection onto a half-plane); `ratio` 1 and `margin` 0 have the closed form of Turner, Ly and
 * Gruenwald, arXiv 2106.02693.
 */
export function projectedLive(
  weights: Pick<Block, "newRequests" | "liveRequests">,
  expected: Expected,
  { ratio, margin }: Line,
): number {
  const { newRequests: n, liveRequests: m } = weights;
  const { new: a, live: b } = expected;
  if (ratio === 0) return b;
  if (ratio === 1 && margin === 0) return (n * a + m * b) / (n + m);
  // The derivative falls, and changes its sign between the roots of its two terms.
  const root = (a - margin) / ratio;
  let low = Math.max(0, Math.min(b, root));
  let high = Math.min(1, (1 - margin) / ratio, Math.max(b, root));
  // Times both denominators it is a cubic: Newton's steps, or a bisection where one leaves the bracket.
  let x = 0.5 * (low + high);
  for (let round = 0; round < 100; round++) {
    const z = ratio * x + margin;
    const value = n * ratio * (a - z) * x * (1 - x) + m * (b - x) * z * (1 - z);
    if (value > 0) low = x;
    else high = x;
    const slope =
      n * ratio * ((a - z) * (1 - 2 * x) - ratio * x * (1 - x)) +
      m * ((b - x) * ratio * (1 - 2 * z) - z * (1 - z));
    const newton = x - value / slope;
    const next = newton > low && newton < high ? newton : 0.5 * (low + high);
    const isThere = Math.abs(next - x) <= 1e-14 * x;
    x = next;
    if (isThere || high - low <= 1e-14 * high) break;
  }
  return x;
}

/**
 * ln S of one block and one bet: how much likelier its events are at the rates that are expected than at the nearest point of the line.
 * Its exponential has a mean of at most 1 while the new slot is on the line's other side, whatever the rates of both are in this block:
 * only the block's means matter. Source: as `projectedLive`; at `ratio` 1, `margin` 0 and one common block safestats'
 * `calculateETwoProportions`.
 */
export function lnIncrement(block: Block, expected: Expected, line: Line): number {
  const live = projectedLive(block, expected, line);
  const onLine = line.ratio * live + line.margin;
  const { newEvents, newRequests, liveEvents, liveRequests } = block;
  return (
    lnRatio(newEvents, newRequests, expected.new, onLine) +
    lnRatio(liveEvents, liveRequests, expected.live, live)
  );
}

function lnRatio(events: number, requests: number, expected: number, projected: number): number {
  const none = requests - events;
  return (
    (events === 0 ? 0 : events * Math.log(expected / projected)) +
    (none === 0 ? 0 : none * (Math.log1p(-expected) - Math.log1p(-projected)))
  );
}
