import { z } from "zod";
import { tied } from "../../config/parts/tied.ts";
import type { Event } from "../../core/events.ts";
import { phases, stages } from "../../core/rollout/state.ts";
import { slots } from "../../core/slots.ts";

/** Version of the events of `--json`. Within one version keys and types are only ever added. */
export const eventsVersion = 1;

const time = z.iso.datetime().describe("When it was said, in UTC");
const schemaVersion = z.literal(eventsVersion);
const head = { time, schemaVersion };
const phase = z.enum(phases);

const step = z.object({
  ...head,
  type: z.literal("step"),
  id: z.string().describe("Stable name of the step"),
  parent: z.string().optional().describe("Id of the step that it is a part of"),
  title: z.string().describe("For people"),
  state: z.enum(["started", "progress", "done", "failed", "interrupted", "skipped"]),
  detail: z.string().optional().describe("What it waits for or did: its evidence"),
  progress: z.object({ done: z.number(), total: z.number(), unit: z.string() }).optional(),
  remainingMs: z.number().optional().describe("Estimate of the time left, milliseconds"),
});
const phaseEvent = z.object({
  ...head,
  type: z.literal("phase"),
  rollout: z.int().describe("Number of the rollout"),
  release: z.int(),
  slot: z.enum(slots).describe("The slot that the release is put into"),
  phase,
  stage: z.enum(stages).describe("Approval and hooks before it, the phase itself, hooks after it"),
  direction: z.enum(["forward", "back"]).describe("back: traffic returns to where it was"),
  weight: z.number().optional().describe("In the phase shift: the share of the step, per cent"),
  message: z.string().describe("For people"),
});
const verdict = z.object({
  ...head,
  type: z.literal("verdict"),
  from: z.enum(["gate", "hook"]),
  name: z.string().describe("As the configuration names it"),
  phase,
  verdict: z.enum(["pass", "fail", "inconclusive", "hold"]),
  evidence: z.string(),
  data: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("The evidence as data, of gates that have some: numbers, examples, series"),
  message: z.string().describe("For people"),
});
const info = z.object({
  ...head,
  type: z.literal("info"),
  code: z.string().optional().describe("What it is about, where that is of use to programs"),
  message: z.string(),
  durationMs: z.number().optional().describe("How long what is over now has lasted, milliseconds"),
});
const warning = z.object({
  ...head,
  type: z.literal("warning"),
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});
const resource = z.object({
  ...head,
  type: z.literal("resource"),
  operation: z.enum(["create", "update", "replace", "delete", "read", "refresh", "same"]),
  urn: z.string(),
  kind: z.string(),
  name: z.string(),
  status: z.enum(["planned", "started", "done", "failed", "interrupted"]),
  changedProperties: z.array(z.string()).readonly().optional(),
  message: z.string().optional(),
});

const events = tied<Event & z.infer<z.ZodObject<typeof head>>>()(
  z.discriminatedUnion("type", [step, phaseEvent, verdict, info, warning, resource]),
);

/** The last line: how the command ended. */
const result = z.looseObject({
  type: z.literal("result"),
  schemaVersion: z.literal(1),
  exitCode: z.int(),
});
const error = z.looseObject({
  type: z.literal("error"),
  schemaVersion: z.literal(1),
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    exitCode: z.int(),
    details: z.record(z.string(), z.unknown()).optional(),
    stack: z.string().optional(),
  }),
});

/** One line of the output of a long command with `--json`. */
export const lineSchema = z.discriminatedUnion("type", [
  step,
  phaseEvent,
  verdict,
  info,
  warning,
  resource,
  result,
  error,
]);

/** A line for an event. */
export type EventLine = z.infer<typeof events>;
