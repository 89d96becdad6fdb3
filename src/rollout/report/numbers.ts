import type { Estimate, EstimatedShare } from "../record/rollout-report.ts";

/** A share for people: `0.52 %`. Pure. */
export function percent(share: number): string {
  return `${plain(share * 100)} %`;
}

/** A number with as many digits as mean something. Pure. */
export function plain(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? 4 : 3)));
}

/** `0.52 % (0.31 to 0.84 %) of 12000`. Pure. */
export function estimateText(estimate: EstimatedShare | null): string {
  if (estimate === null) return "";
  const { share, low, high, requests } = estimate;
  if (share === null) return requests === 0 ? "no request" : `of ${plain(requests)}`;
  return `${percent(share)} (${plain(low * 100)} to ${percent(high)}) of ${plain(requests)}`;
}

/** How near the evidence came to sending the release back. Pure. */
export function againstText({ against }: Estimate): string {
  if (against === null) return "";
  const { factor, sendsBackAt, alpha } = against;
  const shown = factor >= 1e6 ? "more than a million" : plain(factor);
  return `${shown} of the ${plain(sendsBackAt)} that send it back (α ${plain(alpha)}, however often it is looked at)`;
}
