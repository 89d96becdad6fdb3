import { sampleOf } from "../exposition.ts";

const declaration = /^#[ \t]+TYPE[ \t]+(\S+)[ \t]+(\S+)/;
/** Kinds of metrics that can go down; without a kind, a metric is what its name says. */
const gaugeKinds: readonly (string | undefined)[] = ["gauge", "untyped", "unknown"];

/**
 * Sum of a gauge over all its labels, in the text format of Prometheus or OpenMetrics. A gauge that is declared and has no sample
 * counts as 0: nothing was counted yet. `undefined`: it is not among these metrics, is no gauge, or one of its values is no number. Pure.
 */
export function gaugeSum(metrics: string, gauge: string): number | undefined {
  let sum = 0;
  let isThere = false;
  for (const line of metrics.split("\n")) {
    if (line.startsWith("#")) {
      const [, declared, kind] = declaration.exec(line) ?? [];
      if (declared !== gauge && declared !== JSON.stringify(gauge)) continue;
      if (!gaugeKinds.includes(kind)) return undefined;
      isThere = true;
      continue;
    }
    const sample = sampleOf(line);
    if (sample?.name !== gauge) continue;
    const { value } = sample;
    if (!Number.isFinite(value)) return undefined;
    isThere = true;
    sum += value;
  }
  return isThere ? sum : undefined;
}
