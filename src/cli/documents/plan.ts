import { z } from "zod";
import { aboutContext, count, oneOrSeveral, percent, slot, time } from "./parts.ts";

const change = z.looseObject({
  operation: z.enum(["create", "update", "replace", "delete", "read"]),
  urn: z.string(),
  kind: z.string(),
  name: z.string(),
  properties: z.array(
    z.looseObject({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
  ),
});

const release = z.looseObject({
  replicas: count,
  requests: z.record(z.string(), z.unknown()),
  forSeconds: z.number(),
  room: z.string().describe("Whether there is a place for its replicas"),
  refused: z.array(z.unknown()).optional().describe("What the API server has against its pods"),
  notLookedAt: z.array(z.unknown()).optional(),
});

const traffic = z.union([
  z.looseObject({
    compared: z.literal(false),
    why: z.string(),
    refused: z.string().optional().describe("The code with which a release is refused for it"),
  }),
  z.looseObject({
    compared: z.literal(true),
    by: z.string(),
    where: z.string(),
    requestsPerSecond: z.number(),
    overSeconds: z.number(),
    automatic: z.boolean(),
    steps: z.array(z.looseObject({ weight: percent, seconds: z.number() })),
    sees: z.array(
      z.looseObject({
        metric: z.string(),
        share: z.number(),
        live: z.number(),
        bad: z.number(),
        requests: z.number().nullable(),
        seconds: z.number().nullable(),
        tooShort: z.boolean(),
      }),
    ),
  }),
]);

const result = { type: z.literal("result"), exitCode: z.int() };

/** The last line of `plan`. */
export const planDocument = z.intersection(
  z.looseObject(result),
  oneOrSeveral({
    ...aboutContext,
    namespaceExists: z.boolean(),
    live: slot,
    changes: z.array(change),
    same: count.describe("Resources that stay as they are"),
    notes: z.array(z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() })),
    release: release.nullable().describe("What the next release would take; null: there is none to make"),
    givesUp: z
      .looseObject({ slot, release: z.int(), until: time.nullable() })
      .nullable()
      .describe("The way back that a release would take the place of"),
    traffic: traffic.nullable().describe("What a release will be able to see of clients' requests"),
  }),
);
