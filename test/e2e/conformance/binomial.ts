/**
 * Whether so many of a number of independent requests are what a share says: within five standard deviations, which is missed about once in two
 * million. Controllers that deal in turn are nearer. Pure.
 */
export function withinBinomial(seen: number, requests: number, share: number): boolean {
  const deviation = Math.sqrt(requests * share * (1 - share));
  return Math.abs(seen - requests * share) <= 5 * deviation;
}
