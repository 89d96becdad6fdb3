import { sharedOut } from "../core/statistics/alpha.ts";
import { defaultAlpha } from "../core/statistics/lines.ts";
import type { LiveAnalysis, LiveVerdict } from "../core/statistics/live-analysis.ts";

/** The evidence as data: each metric with what was counted, its lines and its part of alpha, and who counted. Pure. */
export function trafficData(
  verdict: LiveVerdict,
  { metrics, alpha = defaultAlpha }: LiveAnalysis,
  controller: string,
): Readonly<Record<string, unknown>> {
  const weights = Object.fromEntries(metrics.map(({ name, weight = 1 }) => [name, weight]));
  const parts = sharedOut(alpha, weights);
  return {
    controller,
    alpha,
    metrics: verdict.metrics.map((one) => ({
      ...one,
      alpha: parts[one.name],
      lines: metrics.find(({ name }) => name === one.name)?.lines,
    })),
    ...(verdict.verdict === "inconclusive" ? { share: verdict.share } : {}),
  };
}
