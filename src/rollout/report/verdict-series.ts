import type { Series } from "../../core/evidence/read.ts";
import type { ReportedVerdict } from "../record/rollout-report.ts";

/** The lines of a verdict over its looks: shares of both slots, and the evidence against the release. */
export interface VerdictSeries {
  readonly shares: readonly Series[];
  readonly evidence: readonly Series[];
}

/** What was counted look by look, a drawing for each metric. With fewer than two looks there is no line. Pure. */
export function verdictSeries({ series }: Pick<ReportedVerdict, "series">): VerdictSeries {
  if (series.length < 2) return { shares: [], evidence: [] };
  const places = series.map(({ at }) => Date.parse(at));
  const keys = [...new Set(series.flatMap(({ values }) => Object.keys(values)))];
  const metrics = [...new Set(keys.map((key) => key.slice(0, key.lastIndexOf(": "))))];
  const lineOf = (metric: string, side: string) => {
    const key = `${metric}: ${side}`;
    return keys.includes(key)
      ? [{ name: side, values: series.map(({ values }) => values[key] ?? null) }]
      : [];
  };
  const named = (name: (metric: string) => string, ...sides: readonly string[]) =>
    metrics.flatMap((metric): Series[] => {
      const lines = sides.flatMap((side) => lineOf(metric, side));
      return lines.length === 0 ? [] : [{ name: name(metric), places, lines }];
    });
  return {
    shares: named((metric) => `Share of ${metric} so far`, "new", "live"),
    evidence: named((metric) => `Evidence against the release: ${metric}`, "evidence"),
  };
}
