import { isSlot, type Slot } from "../src/core/slots.ts";
import type { TimedEvent } from "./command.ts";
import type { LoadReport } from "./load.ts";
import type { TimelineReport } from "./timeline.ts";

/** One step of a switch, in milliseconds since the start of the load. */
export interface StepReport {
  readonly title: string;
  readonly detail: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SwitchReport {
  readonly from: Slot;
  readonly to: Slot;
  /** Milliseconds since the start of the load at which the command was started, and had ended. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** As the command itself says: waiting for readiness, learning how the slots answer, writes through Pulumi, proofs at the ingress. */
  readonly readyMs: number;
  readonly identityMs: number;
  readonly writeMs: number;
  readonly proofMs: number;
  /** Fresh connections that proved it. */
  readonly probes: number;
  /** Everything inside the command, from its first look at the cluster. */
  readonly totalMs: number;
  /** The instant at which all clients had moved, seen by the load; `undefined` when not seen. */
  readonly movedAtMs: number | undefined;
  /** How long both versions answered; 0 is one interval of the timeline. */
  readonly overlapMs: number | undefined;
  readonly steps: readonly StepReport[];
}

export interface DemoReport {
  readonly schemaVersion: 1;
  readonly createdAt: string;
  readonly flavour: "mlserver" | "fast";
  readonly title: string;
  readonly model: string;
  readonly host: string;
  readonly ingressUrl: string;
  readonly path: string;
  readonly kubernetesVersion: string;
  readonly cluster: string;
  readonly machine: { readonly processors: number; readonly memoryBytes: number };
  readonly slots: Readonly<
    Record<
      Slot,
      { readonly version: string; readonly image: string; readonly about: string; readonly replicas: number }
    >
  >;
  readonly calibration: { readonly throughput: number | undefined; readonly ratePerSecond: number };
  readonly load: LoadReport;
  readonly switches: readonly SwitchReport[];
}

/** A switch as the demo recorded it, times since the Unix epoch. */
export interface RecordedSwitch {
  readonly to: Slot;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly result: Readonly<Record<string, unknown>>;
  readonly events: readonly TimedEvent[];
}

export function switchReport(
  recorded: RecordedSwitch,
  load: Pick<LoadReport, "startedAt" | "timeline">,
  versions: Readonly<Record<Slot, string>>,
): SwitchReport {
  const { result, to } = recorded;
  const from = isSlot(result.from) ? result.from : to;
  const startedAtMs = recorded.startedAt - load.startedAt;
  const endedAtMs = recorded.endedAt - load.startedAt;
  const timings = Array.isArray(result.steps) ? (result.steps as Record<string, unknown>[]) : [];
  const sum = (name: string) => timings.reduce((total, timing) => total + number(timing[name]), 0);
  return {
    from,
    to,
    startedAtMs,
    endedAtMs,
    readyMs: number(result.readyMs),
    identityMs: number(result.identityMs),
    writeMs: sum("writeMs"),
    proofMs: sum("proofMs"),
    probes: sum("probes"),
    totalMs: number(result.totalMs),
    ...movement(load.timeline, versions[from], versions[to], startedAtMs),
    steps: stepsOf(recorded.events, load.startedAt),
  };
}

/** Steps of the command that belong to no other step, with their first and last moment. */
export function stepsOf(events: readonly TimedEvent[], origin: number): StepReport[] {
  const begun = new Map<string, number>();
  const steps: StepReport[] = [];
  for (const { at, event } of events) {
    if (event.type !== "step" || event.parent !== undefined) continue;
    if (event.state === "started") begun.set(event.id, at);
    if (event.state !== "done" && event.state !== "failed") continue;
    const fromMs = (begun.get(event.id) ?? at) - origin;
    steps.push({ title: event.title, detail: event.detail, fromMs, toMs: at - origin });
  }
  return steps;
}

/** When the answers changed from one version to the other, as far as the timeline's intervals tell. */
export function movement(
  timeline: TimelineReport,
  before: string,
  after: string,
  startedAtMs: number,
): { readonly movedAtMs: number | undefined; readonly overlapMs: number | undefined } {
  const { bucketMs, buckets } = timeline;
  const start = Math.max(0, Math.floor(startedAtMs / bucketMs));
  const first = buckets.findIndex((bucket, index) => index >= start && (bucket.answers[after] ?? 0) > 0);
  if (first < 0) return { movedAtMs: undefined, overlapMs: undefined };
  let last = first;
  // The other version answers again after the next switch: only look until it has been silent for a second.
  const silence = Math.ceil(1000 / bucketMs);
  for (let index = first; index < Math.min(buckets.length, last + silence + 1); index += 1) {
    if ((buckets[index]?.answers[before] ?? 0) > 0) last = index;
  }
  return { movedAtMs: first * bucketMs, overlapMs: (last - first) * bucketMs };
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
