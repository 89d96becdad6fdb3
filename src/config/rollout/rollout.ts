import { z } from "zod";
import { defaults } from "../../core/defaults.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import { type ParsedSteps, parseSteps } from "../../core/rollout/steps.ts";
import { withAlpha } from "../../gates/kinds.ts";
import { absolutePath, otherwise } from "../parts/schema-parts.ts";
import { tied } from "../parts/tied.ts";
import { capacityPolicies } from "./capacity-policy.ts";
import { type GatesAbout, resolveGates } from "./default-gates.ts";
import {
  gatesSchema,
  hooksSchema,
  notificationsSchema,
  resolveHook,
  resolveNotification,
} from "./rollout-calls.ts";
import { approvalPhases, type ResolvedRollout, type RolloutConfig } from "./rollout-types.ts";
import { freezesSchema, resolveSchedule, timeZoneSchema, windowsSchema } from "./rollout-windows.ts";

const own = defaults.rollout;

const seconds = (about: string) => z.number().min(0).describe(about);

function wrongSteps(text: string): string {
  const parsed = parseSteps(text);
  return parsed.kind === "wrong" ? `has the step "${parsed.step}", which ${parsed.why}` : "";
}

/** Shares and times are chosen when a release begins, by the traffic that there is. */
const automatic = "auto";

const steps = z
  .string()
  .refine((text) => text === automatic || parseSteps(text).kind === "steps", {
    error: ({ input }) => wrongSteps(String(input)),
  })
  .describe(
    "Shares of the new release before it gets all traffic, for example 5%:2m, 25%:5m, 50%; auto: chosen by the traffic of the last hour. Default: one jump",
  );

/** The shape of `rollout` in the configuration file. */
export const rolloutSchema = tied<RolloutConfig>()(
  z
    .strictObject({
      steps: steps.optional(),
      settle: seconds(
        `Seconds for which all replicas must have been ready without a break. ${otherwise(own.settle)}`,
      ).optional(),
      shadow: z
        .union([
          z.number().positive(),
          z.strictObject({
            for: z.number().positive().describe("Seconds"),
            percent: z
              .int()
              .min(1)
              .max(100)
              .optional()
              .describe(`How many of the requests are copied. ${otherwise(own.shadow.percent)}`),
          }),
        ])
        .optional()
        .describe(
          "Seconds for which the new release gets copies of clients' requests before its share grows, or { for: 120, percent: 10 }. Default: no copies",
        ),
      soak: seconds(
        `Seconds for which the release is watched once it has all traffic. ${otherwise(own.soak)}`,
      ).optional(),
      drain: seconds(
        "Seconds that requests in flight in the old slot are waited for. Default: the longest request of the model server",
      ).optional(),
      rollbackWindow: seconds(
        `Seconds for which the old slot stays warm for a rollback in one step. ${otherwise(own.rollbackWindow)}`,
      ).optional(),
      warmUp: z
        .strictObject({
          path: absolutePath.describe(
            "Absolute path on the model server, for example /v2/models/fraud/infer",
          ),
          method: z.enum(["GET", "POST"]).optional().describe("Default: POST with a body, else GET"),
          body: z.unknown().optional().describe("Sent as JSON"),
          deadline: z
            .number()
            .positive()
            .optional()
            .describe(`Seconds until a replica counts as warm. ${otherwise(own.warmUp.deadline)}`),
          requests: z
            .int()
            .min(1)
            .optional()
            .describe(`The most requests to one replica. ${otherwise(own.warmUp.requests)}`),
        })
        .optional()
        .describe("A request that is sent to every new replica until its latency is steady. Default: none"),
      capacity: z
        .enum(capacityPolicies)
        .optional()
        .describe(
          `Where the nodes have no room for the new pods: refuse, warn, or do not look. ${otherwise(own.capacity)}`,
        ),
      mode: z
        .union([
          z.enum(["full", "recreate"]),
          z.strictObject({
            partial: z
              .number()
              .min(1)
              .max(99)
              .describe("Share of the replicas while the release is previewed, per cent"),
          }),
        ])
        .optional()
        .describe(
          `full, { partial: 20 } (some of the replicas until the cut-over), or recreate (the live slot is emptied first: an outage). ${otherwise(own.mode)}`,
        ),
      approval: z
        .array(z.enum(approvalPhases))
        .optional()
        .describe("Phases that a person must approve before they begin. Default: none"),
      windows: windowsSchema.optional(),
      freezes: freezesSchema.optional(),
      timeZone: timeZoneSchema.optional(),
      hooks: hooksSchema.optional(),
      gates: gatesSchema.optional(),
      watchPods: z
        .boolean()
        .optional()
        .describe(
          `Whether pods of the new release that restart, get unready or go away send it back. ${otherwise(own.watchPods)}`,
        ),
      watchTraffic: z
        .boolean()
        .optional()
        .describe(
          `Whether clients' requests are compared in both slots by themselves, where steps share them and somebody counts them. ${otherwise(own.watchTraffic)}`,
        ),
      alpha: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe(
          `Chance that a good release is sent back by statistics, of all gates together and at any number of looks. ${otherwise(own.alpha)}`,
        ),
      notifications: notificationsSchema.optional(),
    })
    .describe("How `modelswitch release` takes a new release live"),
);

/** Fills in the defaults. Pure; the steps were checked. */
export function resolveRollout(config: RolloutConfig = {}, about: GatesAbout = {}): ResolvedRollout {
  const isAutomatic = config.steps === automatic;
  const parsed = parseSteps(isAutomatic ? "100%" : (config.steps ?? "100%"));
  const { warmUp } = config;
  const lastHoldMs = parsed.kind === "steps" ? parsed.holdAtEndMs : 0;
  return {
    steps: parsed.kind === "steps" ? parsed.steps : [],
    ...(isAutomatic ? { isAutomatic } : {}),
    settleMs: (config.settle ?? own.settle) * 1000,
    ...shadowOf(config.shadow),
    soakMs: (config.soak ?? own.soak) * 1000 + lastHoldMs,
    lastHoldMs,
    drainMs: config.drain === undefined ? undefined : config.drain * 1000,
    rollbackWindowMs: (config.rollbackWindow ?? own.rollbackWindow) * 1000,
    capacity: config.capacity ?? own.capacity,
    warmUp: warmUp && {
      path: warmUp.path,
      method: warmUp.method ?? (warmUp.body === undefined ? "GET" : "POST"),
      body: warmUp.body,
      deadlineMs: (warmUp.deadline ?? own.warmUp.deadline) * 1000,
      maximumRequests: warmUp.requests ?? own.warmUp.requests,
    },
    mode: modeOf(config.mode),
    approval: approvalPhases.filter((phase) => config.approval?.includes(phase)),
    schedule: resolveSchedule(config),
    hooks: (config.hooks ?? []).map(resolveHook),
    gates: resolveGates(config, about),
    alpha: config.alpha ?? own.alpha,
    notifications: (config.notifications ?? []).map(resolveNotification),
  };
}

function shadowOf(shadow: RolloutConfig["shadow"]): Pick<ResolvedRollout, "shadow"> {
  if (shadow === undefined) return {};
  const { for: seconds, percent = own.shadow.percent } =
    typeof shadow === "number" ? { for: shadow } : shadow;
  return { shadow: { percent, forMs: seconds * 1000 } };
}

function modeOf(mode: RolloutConfig["mode"] = own.mode): ReleaseMode {
  return typeof mode === "string" ? { kind: mode } : { kind: "partial", percent: mode.partial };
}

/**
 * The same rollout with other steps: `auto`, or shares. Pure.
 */
export function withSteps(
  rollout: ResolvedRollout,
  given: "auto" | Extract<ParsedSteps, { kind: "steps" }>,
): ResolvedRollout {
  const { isAutomatic: _was, ...rest } = rollout;
  const parsed = given === "auto" ? ({ steps: [], holdAtEndMs: 0 } as const) : given;
  return {
    ...rest,
    steps: parsed.steps,
    ...(given === "auto" ? { isAutomatic: true } : {}),
    // The time of a last `100%` is part of the soak, as in the file.
    soakMs: rollout.soakMs - rollout.lastHoldMs + parsed.holdAtEndMs,
    lastHoldMs: parsed.holdAtEndMs,
    gates: withAlpha(rollout.gates, rollout.alpha, given === "auto" || parsed.steps.length > 0),
  };
}
