import { z } from "zod";
import type { Call, Hook } from "../../core/calls.ts";
import { defaults, gateDefaults, hookDefaults } from "../../core/defaults.ts";
import { type Gate, gatePhases } from "../../core/gates.ts";
import { type NotificationTarget, noticeKinds } from "../../core/notices.ts";
import { phases } from "../../core/rollout/state.ts";
import { absolutePath, otherwise, text } from "../parts/schema-parts.ts";
import type {
  GateConfig,
  HookConfig,
  NotificationConfig,
  RolloutConfig,
  RunConfig,
  UrlConfig,
} from "./rollout-types.ts";

/** The shapes of `rollout.hooks`, `gates` and `notifications`; rules over several keys are in `rollout-rules.ts`. */

const positive = (about: string) => z.number().positive().describe(about);

const name = z
  .string()
  .regex(/^\S(.{0,61}\S)?$/, "is no name: one line of at most 63 characters, without spaces around it")
  .describe("For messages and the record; each once");

const variable = z
  .strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of an environment variable")
      .describe("Name of the environment variable"),
  })
  .describe("A value that stands in an environment variable, never in the file");

const call = {
  run: z
    .array(text("The program, or an argument"))
    .min(1)
    .optional()
    .describe("A program and its arguments, without a shell; started in the folder of this file"),
  url: text("Address that gets a POST request with JSON: https, or http on this machine").optional(),
  secret: variable
    .optional()
    .describe("The environment variable with the key that requests are signed with. Default: not signed"),
  insecure: z
    .boolean()
    .optional()
    .describe("Allows http to other machines, where anybody between can read and answer. Default: false"),
};

const phase = z.enum(phases);

export const hooksSchema = z
  .array(
    z.strictObject({
      name,
      before: phase.optional().describe("The phase before which it is run. Either this or `after`"),
      after: phase.optional().describe("The phase after which it is run. Either this or `before`"),
      ...call,
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

const request = z.strictObject({
  path: absolutePath.describe("As clients ask, for example /v2/models/fraud/infer"),
  method: z.enum(["GET", "POST"]).optional().describe("Default: POST with a body, else GET"),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "is no header name"),
      z.string().regex(/^[\t\x20-\x7e]*$/, "may have printable characters only"),
    )
    .optional()
    .describe("Headers of the request by name"),
  body: z.unknown().optional().describe("Sent as JSON"),
  requests: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe(`Requests in one look. ${otherwise(gateDefaults.request.requests)}`),
  allowed: z
    .int()
    .min(0)
    .optional()
    .describe(`How many of them may be wrong. ${otherwise(gateDefaults.request.allowed)}`),
  insecure: z
    .boolean()
    .optional()
    .describe(
      `Take any certificate of the ingress, over https. ${otherwise(gateDefaults.request.insecure)}: it must be trusted here`,
    ),
  expect: z
    .strictObject({
      status: z
        .int()
        .min(100)
        .max(599)
        .optional()
        .describe(`HTTP status. ${otherwise(gateDefaults.request.status)}`),
      json: z
        .strictObject({
          path: text("Dot-separated path into the JSON answer, for example outputs.0.data.0"),
          value: z.unknown().optional().describe("What must be there. Default: anything but null"),
        })
        .optional()
        .describe("A value of the JSON answer. Default: not looked at"),
      latency: positive(
        "Seconds that an answer may take, for example 0.25. Default: as long as the time-out",
      ).optional(),
    })
    .optional()
    .describe("What an answer must be like"),
});

export const gatesSchema = z
  .array(
    z.strictObject({
      name,
      ...call,
      request: request
        .optional()
        .describe("Requests through the ingress, one after the other. One of run, url and request"),
      phases: z.array(z.enum(gatePhases)).min(1).optional().describe("Default: verify, shift, soak"),
      every: positive(
        `Seconds from the end of a look to the next one. ${otherwise(gateDefaults.every)}`,
      ).optional(),
      failures: z
        .int()
        .min(1)
        .optional()
        .describe(`Failing looks in a row that make the gate fail. ${otherwise(gateDefaults.failures)}`),
      timeout: positive(
        `Seconds for one look or request. Default: ${gateDefaults.timeout.call}, for request ${gateDefaults.timeout.request}`,
      ).optional(),
    }),
  )
  .describe(
    "Checks that go on while a release is verified, shifted and soaked. Default: none but the pods' own",
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

function callOf(
  config: RunConfig | UrlConfig,
  limits: {
    readonly timeout: number;
    readonly retries: { readonly command: number; readonly webhook: number };
  },
): Call {
  const timeoutMs = limits.timeout * 1000;
  if (config.url !== undefined) {
    const { url, secret } = config;
    return { kind: "webhook", url, secretEnv: secret?.env, timeoutMs, retries: limits.retries.webhook };
  }
  const [program, ...args] = config.run;
  if (program === undefined) throw new Error("A validated configuration names a program.");
  return { kind: "command", run: [program, ...args], timeoutMs, retries: limits.retries.command };
}

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

function resolveGate(config: GateConfig): Gate {
  const base = {
    name: config.name,
    phases: config.phases ?? gatePhases,
    everyMs: (config.every ?? gateDefaults.every) * 1000,
    failures: config.failures ?? gateDefaults.failures,
  };
  if (config.request === undefined) {
    const call = callOf(config, {
      timeout: config.timeout ?? gateDefaults.timeout.call,
      retries: { command: 0, webhook: 0 },
    });
    return { ...base, kind: call.kind, call };
  }
  const { path, method, headers, body, requests, allowed, insecure, expect } = config.request;
  return {
    ...base,
    kind: "request",
    request: {
      path,
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: headers ?? {},
      body,
      count: requests ?? gateDefaults.request.requests,
      allowed: allowed ?? gateDefaults.request.allowed,
      insecure: insecure ?? gateDefaults.request.insecure,
      timeoutMs: (config.timeout ?? gateDefaults.timeout.request) * 1000,
      expect: {
        status: expect?.status ?? gateDefaults.request.status,
        json: expect?.json && { path: expect.json.path, value: expect.json.value },
        latencyMs: expect?.latency === undefined ? undefined : expect.latency * 1000,
      },
    },
  };
}

/** The gate that is there unless it is switched off: a pod may be unready for a moment, but not at two looks in a row. */
const podsGate: Gate = { kind: "pods", name: "pods", phases: gatePhases, everyMs: 2_000, failures: 2 };

export function resolveGates({ gates = [], watchPods = defaults.rollout.watchPods }: RolloutConfig): Gate[] {
  return [...(watchPods ? [podsGate] : []), ...gates.map(resolveGate)];
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
