import { z } from "zod";
import { tied } from "../../config/parts/tied.ts";
import { type Verdict, verdicts as verdictNames } from "../../core/calls.ts";
import { boundedData, wellFormed } from "../../core/evidence/bounded.ts";
import { type Counts, evidenceOf } from "../../core/evidence/read.ts";
import { type GatePhase, gatePhases } from "../../core/gates.ts";
import { shortened } from "../../core/headline.ts";

/** What a gate had counted at one look: its lines are drawn from these. */
export interface VerdictPoint {
  /** ISO 8601. */
  readonly at: string;
  /** By name, for example `errors: new`. */
  readonly values: Readonly<Record<string, number>>;
}

/** What one gate said in one phase, or in one step of the shift, for the report. */
export interface RecordedVerdict {
  readonly gate: string;
  readonly phase: GatePhase;
  /** Which step of the shift, from 0; in other phases `null`. */
  readonly step: number | null;
  /** The share of clients' traffic that the release had, per cent. */
  readonly weight: number;
  /** First and last look, ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly looks: number;
  readonly verdict: Verdict;
  readonly evidence: string;
  /** It could not tell, and the release went on all the same. */
  readonly isLetPass?: true | undefined;
  /** The evidence as data, bounded; absent: the gate has none. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Oldest first; thinned out where there were many looks. */
  readonly series: readonly VerdictPoint[];
}

/** One look of a gate. */
export type GateLooked = Omit<RecordedVerdict, "from" | "to" | "looks" | "series"> & {
  readonly at: string;
  /** 0: it said something without looking again. @default 1 */
  readonly looks?: 0;
};

const mostEntries = 60;
const mostPoints = 48;
const mostLines = 8;
/** All that a rollout's report says of its gates, bytes. */
const largestTogether = 96 * 1024;

/** Verdicts with one more look. Pure. */
export function withLook(
  verdicts: readonly RecordedVerdict[],
  { at, data, evidence, looks, ...look }: GateLooked,
): readonly RecordedVerdict[] {
  const kept = data === undefined ? undefined : boundedData(data);
  const values = pointValues(kept);
  const one: RecordedVerdict = {
    ...look,
    from: at,
    to: at,
    looks: looks ?? 1,
    evidence: shortened(wellFormed(evidence)),
    ...(kept === undefined ? {} : { data: kept }),
    series: Object.keys(values).length === 0 ? [] : [{ at, values }],
  };
  return mergedVerdicts(verdicts, [one]);
}

/** What was kept before, and what came after it. Pure. */
export function mergedVerdicts(
  before: readonly RecordedVerdict[],
  after: readonly RecordedVerdict[],
): readonly RecordedVerdict[] {
  const all = [...before];
  for (const one of after) {
    const index = all.findLastIndex((other) => keyOf(other) === keyOf(one));
    const former = all[index];
    if (former === undefined) all.push(one);
    else all[index] = joined(former, one);
  }
  return withinBounds(all);
}

function keyOf({ gate, phase, step }: RecordedVerdict): string {
  return JSON.stringify([gate, phase, step]);
}

function joined(former: RecordedVerdict, one: RecordedVerdict): RecordedVerdict {
  const data = one.data ?? former.data;
  const { isLetPass: _was, ...rest } = former;
  return {
    ...rest,
    ...one,
    from: former.from,
    looks: former.looks + one.looks,
    ...(data === undefined ? {} : { data }),
    series: thinned([...former.series, ...one.series]),
  };
}

/** Counts go up: every second one tells the same with less detail. First and last stay. */
function thinned(points: readonly VerdictPoint[]): readonly VerdictPoint[] {
  let kept = points;
  while (kept.length > mostPoints) {
    kept = kept.filter((_, index) => index % 2 === 0 || index === kept.length - 1);
  }
  return kept;
}

/** Where it is too much: the oldest lose their lines, then their data, those that passed first; at the end they go. */
function withinBounds(all: readonly RecordedVerdict[]): readonly RecordedVerdict[] {
  let kept = all;
  while (kept.length > mostEntries) {
    const [oldest] = oldestFirst(kept);
    kept = kept.filter((_, index) => index !== oldest);
  }
  const losses: readonly ((one: RecordedVerdict) => RecordedVerdict | undefined)[] = [
    (one) => (one.series.length > 0 ? { ...one, series: [] } : undefined),
    ({ data, ...one }) => (data === undefined ? undefined : one),
  ];
  const sizes = kept.map(sizeOf);
  let together = sizes.reduce((sum, size) => sum + size, 0);
  for (const loss of losses) {
    for (const index of oldestFirst(kept)) {
      if (together <= largestTogether) return kept;
      const one = kept[index];
      const less = one === undefined ? undefined : loss(one);
      if (less === undefined) continue;
      together += sizeOf(less) - (sizes[index] ?? 0);
      sizes[index] = sizeOf(less);
      kept = kept.with(index, less);
    }
  }
  return kept;
}

function sizeOf(one: RecordedVerdict): number {
  return Buffer.byteLength(JSON.stringify(one)) + 1;
}

function oldestFirst(all: readonly RecordedVerdict[]): readonly number[] {
  const passed = (index: number) => (all[index]?.verdict === "pass" ? 0 : 1);
  return [...all.keys()].sort((a, b) => passed(a) - passed(b) || a - b);
}

/** The lines that a look adds a point to: shares of events in both slots, and the evidence against the release. */
function pointValues(data: RecordedVerdict["data"]): Readonly<Record<string, number>> {
  const rate = (line: string, counts: Counts | undefined): [string, number][] =>
    counts === undefined || counts.requests === 0
      ? []
      : [[line, Number((counts.events / counts.requests).toPrecision(5))]];
  const values = evidenceOf(data).comparisons.flatMap(
    ({ name, new: fresh, live, lnFail }): [string, number][] => [
      ...rate(`${name}: new`, fresh),
      ...rate(`${name}: live`, live),
      ...(lnFail === undefined || !Number.isFinite(lnFail)
        ? []
        : [[`${name}: evidence`, Number(lnFail.toPrecision(5))] as [string, number]]),
    ],
  );
  return Object.fromEntries(values.slice(0, mostLines * 3));
}

/** Its shape in the stored record. */
export const recordedVerdict = tied<RecordedVerdict>()(
  z.object({
    gate: z.string(),
    phase: z.enum(gatePhases),
    step: z.number().int().nullable(),
    weight: z.number(),
    from: z.string(),
    to: z.string(),
    looks: z.number().int(),
    verdict: z.enum(verdictNames),
    evidence: z.string(),
    isLetPass: z.literal(true).optional(),
    data: z.record(z.string(), z.unknown()).optional(),
    series: z.array(z.object({ at: z.string(), values: z.record(z.string(), z.number()) })),
  }),
);
