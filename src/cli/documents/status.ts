import { z } from "zod";
import { migrationStages } from "../../core/migration.ts";
import { routerNames } from "../../core/router-names.ts";
import {
  aboutContext,
  count,
  direction,
  eachSlot,
  oneOrSeveral,
  percent,
  rolloutKind,
  slot,
  split,
  stage,
  time,
} from "./parts.ts";

const problem = z.looseObject({
  pod: z.string(),
  container: z.string().optional(),
  kind: z.string(),
  reason: z.string().describe("Kubernetes' own word for it"),
  message: z.string(),
  final: z.boolean().describe("Waiting longer is pointless"),
  evidence: z
    .looseObject({ pod: z.string(), logLines: z.array(z.string()), events: z.array(z.string()) })
    .optional(),
});

const slotStatus = z.looseObject({
  release: z.int().optional().describe("Absent: no release was put into it"),
  image: z.string().optional(),
  imageId: z.string().optional(),
  pods: z.enum(["ours", "yours"]),
  ready: z.boolean(),
  replicas: z.looseObject({ ready: count, desired: count.optional() }),
  endpoints: z.looseObject({ ready: count, notReady: count, terminating: count }),
  trafficPercent: percent,
  reasons: z.array(z.string()).describe("Why it is not ready"),
  problems: z.array(problem),
});

const observed = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("observed"),
    by: z.string().describe("Who counts"),
    where: z.string(),
    seconds: z.number(),
    requests: eachSlot(count),
    split: split.nullable().describe("null: no request in that time"),
  }),
  z.looseObject({ kind: z.literal("unknown"), why: z.string() }),
]);

export const statusDocument = oneOrSeveral({
  ...aboutContext,
  live: slot.nullable().describe("null: clients are sent to something else than the model, or to nothing"),
  split: split.describe("As declared"),
  slots: eachSlot(slotStatus),
  host: z.string(),
  url: z.string(),
  endpoints: z.array(z.string()),
  router: z.string().describe(`${routerNames.join(", ")}, or one of your own`),
  pending: z.string().nullable().describe("What an unfinished command still has to do"),
  lastSwitch: z
    .looseObject({ at: time, from: slot, to: slot, by: z.string(), durationMs: z.number() })
    .nullable(),
  changedByHand: z.array(
    z.looseObject({
      kind: z.string(),
      name: z.string(),
      slot: slot.optional(),
      path: z.string(),
      before: z.unknown().optional().describe("Absent: nothing is declared there"),
      after: z.unknown().optional().describe("Absent: nothing is there"),
      by: z.string(),
      at: time.optional(),
    }),
  ),
  rollout: z
    .looseObject({
      kind: rolloutKind,
      release: z.int(),
      target: slot,
      phase: z.string(),
      stage,
      direction,
      paused: z.boolean(),
      waitsFor: z.string().optional(),
      worksOnIt: z
        .string()
        .nullable()
        .optional()
        .describe("null: no command does; absent: it cannot be seen"),
      by: z.string(),
      startedAt: time,
      warmUntil: time.optional(),
    })
    .nullable()
    .describe("The rollout in progress"),
  migration: z
    .strictObject({
      from: z.string(),
      to: z.string(),
      stage: z.enum(migrationStages),
      isBack: z.boolean().describe("Whether it takes back a move of which clients may have heard"),
      by: z.string(),
      startedAt: time,
    })
    .nullable()
    .describe("The move to another router that is on its way"),
  observed: observed.nullable().describe("Where clients' requests really went; null: nobody looked"),
});
