import { z } from "zod";
import type { ConfigProblem } from "../config/parts/problem.ts";
import { tied } from "../config/parts/tied.ts";
import { gateDefaults } from "../core/defaults.ts";
import { type Fields, isFields, valueAt } from "../core/fields.ts";
import { defaultAlpha } from "../core/statistics/lines.ts";
import type { CounterSource, CountersOutcome, CountersRequest } from "./io.ts";
import { type ConfigurableGate, lookBy, weightKey } from "./kind.ts";
import { countersMemory, liveMemory, shaped } from "./live-memory.ts";
import { judgeTraffic, nothingSeen, type TrafficMemory, type TrafficRules } from "./traffic-judge.ts";

/** Pods of the ingress controller, read through the API server. */
export interface ControllerPods {
  readonly namespace: string;
  /** Labels of the pods, for example `app.kubernetes.io/name=traefik`. */
  readonly selector: string;
  /** Port of the metrics. */
  readonly port: number;
  /** @default /metrics */
  readonly path?: string;
}

/** Where replicas of the ingress controller show what they count. */
export type ControllerPlaces = readonly [string | ControllerPods, ...(string | ControllerPods)[]];

/** How clients' traffic is compared in both slots. */
export interface TrafficConfig {
  /**
   * Where the ingress controller shows what it counts: an address for each of its replicas, or its pods; `prometheus`: the one that
   * `metrics.prometheus` names. @default found by itself
   */
  readonly metrics?: ControllerPlaces | "prometheus";
  /**
   * Seconds that an answer may take; how many take longer is compared. One of the bounds that the controller counts by (Traefik: 0.1, 0.3, 1.2
   * and 5, unless it was told others). `false`: latency is not compared. @default bounds by live's own latencies
   */
  readonly latency?: number | false;
  /** Its part of `rollout.alpha`, beside those of other gates that judge by statistics, above 0. @default 1 */
  readonly weight?: number;
}

export interface TrafficForm {
  /** Compares errors and slow answers of clients' own requests, as the ingress controller, or whoever is found, counts them. */
  readonly traffic: TrafficConfig;
}

export interface TrafficSettings extends TrafficRules {
  readonly kind: "traffic";
  readonly sources: CountersRequest["sources"];
  readonly weight: number;
  readonly timeoutMs: number;
}

/** What the record may hold of a gate that judges by counters. */
export const trafficMemory = shaped<TrafficMemory>(
  z.object({
    counters: countersMemory,
    era: z.string(),
    live: liveMemory.optional(),
    bounds: z.array(z.number().positive()).optional(),
  }),
);

const pods = z.strictObject({
  namespace: z.string().min(1).describe("Namespace of the ingress controller's pods"),
  selector: z.string().min(1).describe("Labels of its pods, for example app.kubernetes.io/name=traefik"),
  port: z.int().min(1).max(65_535).describe("Port of the metrics"),
  path: z.string().regex(/^\//).optional().describe("Default: /metrics"),
});

const address = z.string().regex(/^https?:\/\/\S+$/, "is no address such as http://10.0.0.7:9100/metrics");
const source = z.union([address, pods]);

/** The shape of a controller's places in the configuration. */
export const controllerPlaces = z.tuple([source], source);

/** As they are asked. Pure. */
export function counterSources(places: ControllerPlaces): readonly CounterSource[] {
  return places.map(
    (one): CounterSource =>
      typeof one === "string" ? { kind: "url", url: one } : { kind: "pods", path: "/metrics", ...one },
  );
}

/** The keys of gates that judge by counters. */
export const countedShape = {
  metrics: z
    .union([z.literal("prometheus"), controllerPlaces])
    .optional()
    .describe(
      "Where the ingress controller shows what it counts: an address for each replica, or its pods; prometheus: the one of metrics.prometheus. Default: found by itself",
    ),
  latency: z
    .union([z.number().positive(), z.literal(false)])
    .optional()
    .describe(
      "Seconds that an answer may take: a bound that the controller counts by; false: not compared. Default: bounds by live's own latencies",
    ),
  weight: weightKey,
} as const;

const traffic = z
  .strictObject(countedShape)
  .describe(
    "Compares errors and slow answers of clients' requests in both slots, as the ingress controller, or whoever is found, counts them",
  );

/** As they are asked; `undefined`: found. Pure. */
export function sourcesOf(metrics: TrafficConfig["metrics"]): CountersRequest["sources"] {
  return metrics === undefined || metrics === "prometheus" ? metrics : counterSources(metrics);
}

/** Pure. */
export function latencyRule(latency: TrafficConfig["latency"]): TrafficRules["latency"] {
  if (latency === undefined) return "found";
  return latency === false ? "off" : latency;
}

/** A Prometheus that a gate of this kind asks has to be named. */
export function prometheusProblems(key: string, { metrics }: Fields, input: object): ConfigProblem[] {
  if (metrics !== "prometheus" || valueAt(input, ["metrics", "prometheus"]) !== undefined) return [];
  const message =
    'is "prometheus", but no Prometheus is named: write metrics: { prometheus: { url: "http://…" } } beside rollout';
  return [{ path: [key, "metrics"], message }];
}

export const trafficGate: ConfigurableGate<TrafficForm, TrafficSettings> = {
  key: "traffic",
  schema: tied<TrafficForm>()(z.object({ traffic })),
  timeout: gateDefaults.timeout,
  phases: ["shift"],
  settings: ({ traffic: { metrics, latency, weight } }, timeoutMs) => ({
    kind: "traffic",
    sources: sourcesOf(metrics),
    latency: latencyRule(latency),
    weight: weight ?? 1,
    alpha: defaultAlpha,
    timeoutMs,
  }),
  statistical: { weightOf: ({ weight }) => weight, needsSteps: true },
  problems: ({ traffic: asked }, { input }) => {
    const rollout = "rollout" in input && isFields(input.rollout) ? input.rollout : {};
    // Steps that are no text are refused where they are read.
    const isOneJump = rollout.steps === undefined || /^\s*100\s*%/.test(String(rollout.steps));
    return [
      ...(isOneJump
        ? [
            {
              path: ["traffic"],
              message:
                'compares nothing in one jump, where at no time both slots have clients\' requests: give the release steps, for example rollout.steps: "5%:5m, 25%:5m, 50%:5m", or "auto"',
            },
          ]
        : []),
      ...(isFields(asked) ? prometheusProblems("traffic", asked, input) : []),
    ];
  },
  look: lookBy<TrafficSettings, CountersOutcome, TrafficMemory>({
    remembers: { nothing: nothingSeen, schema: trafficMemory },
    ask: async ({ io }, { sources, timeoutMs }, _subject, signal) =>
      await io.counters({ sources, timeoutMs, signal }),
    judge: judgeTraffic,
  }),
};
