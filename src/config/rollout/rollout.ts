import { z } from "zod";
import { defaults } from "../../core/defaults.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import { parseSteps } from "../../core/rollout/steps.ts";
import { absolutePath, otherwise } from "../parts/schema-parts.ts";
import { tied } from "../parts/tied.ts";
import { capacityPolicies } from "./capacity-policy.ts";
import {
  gatesSchema,
  hooksSchema,
  notificationsSchema,
  resolveGates,
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

const steps = z
  .string()
  .refine((text) => parseSteps(text).kind === "steps", { error: ({ input }) => wrongSteps(String(input)) })
  .describe(
    "Shares of the new release before it gets all traffic, for example 5%:2m, 25%:5m, 50%. Default: one jump",
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
      notifications: notificationsSchema.optional(),
    })
    .describe("How `modelswitch release` takes a new release live"),
);

/** Fills in the defaults. Pure; the steps were checked. */
export function resolveRollout(config: RolloutConfig = {}): ResolvedRollout {
  const parsed = parseSteps(config.steps ?? "100%");
  const { warmUp } = config;
  const lastHoldMs = parsed.kind === "steps" ? parsed.holdAtEndMs : 0;
  return {
    steps: parsed.kind === "steps" ? parsed.steps : [],
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
    gates: resolveGates(config),
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
