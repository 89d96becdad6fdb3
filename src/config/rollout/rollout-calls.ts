import { z } from "zod";
import type { Hook } from "../../core/calls.ts";
import { gateDefaults, hookDefaults } from "../../core/defaults.ts";
import { gatePhases, inconclusiveChoices } from "../../core/gates.ts";
import { type NotificationTarget, noticeKinds } from "../../core/notices.ts";
import { phases } from "../../core/rollout/state.ts";
import {
  configurableGates,
  everyOf,
  type Gate,
  gateSettings,
  gateShape,
  phasesOf,
} from "../../gates/kinds.ts";
import { callOf, callShape, variable } from "../parts/call-shape.ts";
import { otherwise, text } from "../parts/schema-parts.ts";
import type { GateConfig, HookConfig, NotificationConfig } from "./rollout-types.ts";

/** The shapes of `rollout.hooks`, `gates` and `notifications`; rules over several keys are in `rollout-rules.ts`. */

const positive = (about: string) => z.number().positive().describe(about);

const name = z
  .string()
  .regex(/^\S(.{0,61}\S)?$/, "is no name: one line of at most 63 characters, without spaces around it")
  .describe("For messages and the record; each once");

const phase = z.enum(phases);

export const hooksSchema = z
  .array(
    z.strictObject({
      name,
      before: phase.optional().describe("The phase before which it is run. Either this or `after`"),
      after: phase.optional().describe("The phase after which it is run. Either this or `before`"),
      ...callShape,
      timeout: positive(`Seconds for one try. ${otherwise(hookDefaults.timeout)}`).optional(),
      retries: z
        .int()
        .min(0)
        .max(10)
        .optional()
        .describe(
          `How often it is tried again when it gave no clear answer. Default: ${hookDefaults.retries.url} for url, ${hookDefaults.retries.run} for run`,
        ),
      onFailure: z
        .enum(["abort", "continue"])
        .optional()
        .describe(
          `What becomes of the rollout where the hook does not pass. ${otherwise(hookDefaults.onFailure)}`,
        ),
    }),
  )
  .describe("What is run before and after phases, in this order. Default: none");

const ownTimeouts = configurableGates
  .filter(({ timeout }) => timeout !== gateDefaults.timeout)
  .map(({ key, timeout }) => `, for ${key} ${timeout}`);

const ownEvery = configurableGates.flatMap(({ key, every }) =>
  every === undefined ? [] : [`, for ${key} ${every}`],
);

export const gatesSchema = z
  .array(
    z.strictObject({
      name,
      ...gateShape,
      phases: z
        .array(z.enum(gatePhases))
        .min(1)
        .optional()
        .describe(`Default: ${gatePhases.join(", ")}`),
      every: positive(
        `Seconds from the end of a look to the next one. ${otherwise(gateDefaults.every)}${ownEvery.join("")}`,
      ).optional(),
      failures: z
        .int()
        .min(1)
        .optional()
        .describe(`Failing looks in a row that make the gate fail. ${otherwise(gateDefaults.failures)}`),
      onInconclusive: z
        .enum(inconclusiveChoices)
        .optional()
        .describe(
          `What becomes of a phase that has had its time while the gate cannot tell. ${otherwise(gateDefaults.onInconclusive)}`,
        ),
      timeout: positive(
        `Seconds for one look or request. ${otherwise(gateDefaults.timeout)}${ownTimeouts.join("")}`,
      ).optional(),
    }),
  )
  .describe(
    "Checks that go on while a release is verified, shifted and soaked; []: those of the pods alone. Default: those that are there by themselves",
  );

export const notificationsSchema = z
  .array(
    z.strictObject({
      url: z
        .union([text("The address"), variable])
        .describe("An address, or the environment variable that has it: those of Slack are secrets"),
      format: z.enum(["slack", "generic"]).describe("What is sent"),
      on: z
        .array(z.enum(noticeKinds))
        .min(1)
        .optional()
        .describe("What is told. Default: everything but phase"),
      secret: variable.optional().describe("The key that requests are signed with. Default: not signed"),
      insecure: z.boolean().optional().describe("Allows http to other machines. Default: false"),
    }),
  )
  .describe("Who is told of a rollout. Default: nobody");

const defaultNotices = noticeKinds.filter((kind) => kind !== "phase");

export function resolveHook(config: HookConfig): Hook {
  const { name, retries, timeout } = config;
  const call = callOf(config, {
    timeout: timeout ?? hookDefaults.timeout,
    retries: { command: retries ?? hookDefaults.retries.run, webhook: retries ?? hookDefaults.retries.url },
  });
  const onFailure = config.onFailure ?? hookDefaults.onFailure;
  return config.before !== undefined
    ? { name, when: "before", phase: config.before, call, onFailure }
    : { name, when: "after", phase: config.after, call, onFailure };
}

export function resolveGate(config: GateConfig): Gate {
  return {
    name: config.name,
    phases: config.phases ?? phasesOf(config),
    everyMs: (config.every ?? everyOf(config)) * 1000,
    failures: config.failures ?? gateDefaults.failures,
    onInconclusive: config.onInconclusive ?? gateDefaults.onInconclusive,
    ...gateSettings(config, config.timeout),
  };
}

export function resolveNotification({
  url,
  format,
  on,
  secret,
  insecure,
}: NotificationConfig): NotificationTarget {
  return {
    url: typeof url === "string" ? { kind: "url", url } : { kind: "env", name: url.env },
    format,
    on: on ?? defaultNotices,
    secretEnv: secret?.env,
    insecure: insecure ?? false,
  };
}
