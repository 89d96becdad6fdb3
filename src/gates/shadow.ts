import { z } from "zod";
import { tied } from "../config/parts/tied.ts";
import { gateDefaults } from "../core/defaults.ts";
import { isFields, valueAt } from "../core/fields.ts";
import { defaultAlpha } from "../core/statistics/lines.ts";
import type { CountersOutcome, CountersRequest } from "./io.ts";
import { type ConfigurableGate, lookBy } from "./kind.ts";
import {
  countedShape,
  latencyRule,
  prometheusProblems,
  sourcesOf,
  type TrafficConfig,
  trafficMemory,
} from "./traffic.ts";
import { judgeTraffic, nothingSeen, type TrafficMemory, type TrafficRules } from "./traffic-judge.ts";

/** How copies of clients' requests are compared with their originals, in `rollout.shadow`. */
export type ShadowGateConfig = TrafficConfig;

export interface ShadowForm {
  /** Compares errors and slow answers of the copies that the release gets with those of the live slot, before any client gets to it. */
  readonly shadow: ShadowGateConfig;
}

export interface ShadowSettings extends TrafficRules {
  readonly kind: "shadow";
  readonly sources: CountersRequest["sources"];
  readonly weight: number;
  readonly timeoutMs: number;
}

const shadow = z
  .strictObject(countedShape)
  .describe(
    "Compares errors and slow answers of the copies in rollout.shadow with those of the live slot, before any client gets to the release",
  );

export const shadowGate: ConfigurableGate<ShadowForm, ShadowSettings> = {
  key: "shadow",
  schema: tied<ShadowForm>()(z.object({ shadow })),
  timeout: gateDefaults.timeout,
  phases: ["shadow"],
  settings: ({ shadow: { metrics, latency, weight } }, timeoutMs) => ({
    kind: "shadow",
    sources: sourcesOf(metrics),
    latency: latencyRule(latency),
    weight: weight ?? 1,
    alpha: defaultAlpha,
    timeoutMs,
  }),
  statistical: { weightOf: ({ weight }) => weight, needsSteps: false },
  problems: ({ shadow: asked }, { input }) => [
    ...(valueAt(input, ["rollout", "shadow"]) === undefined
      ? [
          {
            path: ["shadow"],
            message:
              "compares copies of clients' requests, but none are made: give the release some, for example rollout.shadow: 120",
          },
        ]
      : []),
    ...(isFields(asked) ? prometheusProblems("shadow", asked, input) : []),
  ],
  look: lookBy<ShadowSettings, CountersOutcome, TrafficMemory>({
    remembers: { nothing: nothingSeen, schema: trafficMemory },
    ask: async ({ io }, { sources, timeoutMs }, _subject, signal) =>
      await io.counters({ of: "copies", sources, timeoutMs, signal }),
    // Copies have no steps.
    judge: (memory, read, rules, { slot, split }) =>
      judgeTraffic(memory, read, { ...rules, of: "copies" }, { slot, split, stepIndex: 0 }),
  }),
};
