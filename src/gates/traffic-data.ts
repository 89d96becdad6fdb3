import { alphaOf, type LiveAnalysis, type LiveVerdict } from "../core/statistics/live-analysis.ts";

/** What was compared, as data: each metric with what was counted, its lines and its part of alpha. Pure. */
export function metricsData({ metrics }: LiveVerdict, analysis: LiveAnalysis): readonly object[] {
  return metrics.map((one) => {
    const metric = analysis.metrics.find(({ name }) => name === one.name);
    return metric === undefined ? one : { ...one, alpha: alphaOf(analysis, metric), lines: metric.lines };
  });
}
