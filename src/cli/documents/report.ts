import { z } from "zod";
import { verdicts } from "../../core/calls.ts";
import { gatePhases } from "../../core/gates.ts";
import { outcomes } from "../../core/rollout/state.ts";
import { journalEntry as recordedEntry } from "../../rollout/record/journal-entry.ts";
import { about, aboutContext, count, head, percent, rolloutKind, sha256, slot, time } from "./parts.ts";

const outcome = z.enum(outcomes);
const journalEntry = z.looseObject(recordedEntry.shape);

const reportedRelease = z.looseObject({
  number: z.int(),
  image: z.string().nullable().describe("null: your own pods"),
  imageId: z.string().nullable().describe("As the node names it, mostly with its digest; null: not seen yet"),
  model: z.string().nullable(),
  versions: z.record(z.string(), z.string()).describe("Versions of the Secrets and ConfigMaps it refers to"),
  configFiles: z.record(z.string(), z.string()).describe("SHA-256 of config files by path"),
  createdAt: time,
  by: z.string(),
});

const share = z.looseObject({
  events: z.number().min(0),
  requests: z.number().min(0),
  share: z.number().nullable().describe("0 to 1; null: no request"),
  low: z.number(),
  high: z.number(),
});

const estimate = z.looseObject({
  name: z.string(),
  new: share,
  live: share
    .nullable()
    .describe("null: the slots are compared request by request, `new` counts what differed"),
  against: z
    .looseObject({
      factor: z.number().describe("Evidence against the release"),
      sendsBackAt: z.number(),
      alpha: z.number().describe("The chance that a good release is sent back, however often somebody looks"),
    })
    .nullable(),
});

const verdict = z.looseObject({
  gate: z.string(),
  phase: z.enum(gatePhases),
  step: z.int().nullable().describe("Which step of the shift, from 0"),
  weight: percent,
  from: time,
  to: time,
  looks: count,
  verdict: z.enum(verdicts),
  evidence: z.string(),
  isLetPass: z.literal(true).optional().describe("It could not tell, and the release went on"),
  data: z.record(z.string(), z.unknown()).optional().describe("The evidence as data, bounded"),
  series: z
    .array(z.looseObject({ at: time, values: z.record(z.string(), z.number()) }))
    .describe("What was counted at its looks, thinned out"),
});

const reported = {
  ...about,
  type: z.literal("rollout-report"),
  environment: z.string().nullable(),
  rollout: z.int(),
  kind: rolloutKind,
  slot,
  release: reportedRelease.nullable(),
  replaced: reportedRelease.nullable().describe("What was live before"),
  changes: z.array(z.string()),
  skipped: z.array(z.string()),
  plan: z.looseObject({}).describe("Shares, times, approvals and hooks as they were planned"),
  by: z.string(),
  startedAt: time,
  endedAt: time,
  durationMs: z.number(),
  outcome,
  reason: z.string().nullable(),
  phases: z.array(z.looseObject({ phase: z.string(), startedAt: time, durationMs: z.number() })),
  journal: z.array(journalEntry),
  verdicts: z
    .array(z.looseObject({ ...verdict.shape, estimates: z.array(estimate) }))
    .optional()
    .describe("Absent: an older version made the report"),
  previousSha256: sha256.nullable(),
  sha256: sha256.describe("SHA-256 in hex of the canonical JSON (RFC 8785) of all other fields"),
};

/** A rollout that goes on. */
const inProgress = {
  ended: z.literal(false),
  number: z.int(),
  kind: rolloutKind,
  plan: z.looseObject({}),
  state: z.looseObject({ release: z.int(), target: slot, phase: z.string() }),
  by: z.string(),
  startedAt: time,
  replaces: z.int().nullable(),
  changes: z.array(z.string()),
  skipped: z.array(z.string()),
  requests: z.array(z.looseObject({ kind: z.string(), by: z.string(), at: time })),
  journal: z.array(journalEntry),
  gates: z.record(z.string(), z.unknown()).optional().describe("What gates remember"),
  verdicts: z.array(verdict).optional(),
};

export const reportDocument = z.union([
  z.looseObject({ ...head, ...reported }),
  z.looseObject({ ...head, ...inProgress }),
]);

export const signDocument = z.looseObject({
  ...head,
  ...about,
  rollout: z.int(),
  sha256,
  file: z.string(),
  signature: z.string().describe("The file of the signature"),
});

export const verifyDocument = z.looseObject({
  ...head,
  ...about,
  verified: z.boolean(),
  environment: z.string().nullable(),
  rollout: z.int(),
  kind: rolloutKind,
  outcome,
  by: z.string(),
  endedAt: time,
  sha256: z.string(),
  release: z.int().nullable(),
  image: z.string().nullable(),
  signature: z.looseObject({
    isGood: z.boolean().describe("Of this report, by somebody trusted"),
    key: z.string().nullable().describe("Kind and fingerprint"),
    signer: z.string().nullable().describe("As the file of --signers names it"),
  }),
  chain: z
    .looseObject({ holds: z.boolean(), reports: count, links: count })
    .nullable()
    .describe("null: the record was left out"),
  problems: z.array(z.looseObject({ code: z.string(), message: z.string() })),
});

export const historyDocument = z.looseObject({
  ...head,
  ...aboutContext,
  releases: z.array(
    z.looseObject({
      number: z.int(),
      slot,
      spec: z.looseObject({}).describe("What it runs"),
      createdAt: time,
      by: z.string(),
      imageId: z.string().optional(),
      liveSince: time.optional(),
      podDefaults: z.string().optional(),
    }),
  ),
  slots: z
    .looseObject({ blue: z.int().nullable(), green: z.int().nullable() })
    .describe("The release in each slot"),
  rollouts: z.array(
    z.looseObject({
      number: z.int(),
      kind: rolloutKind,
      release: z.int(),
      target: slot,
      replaces: z.int().nullable().optional(),
      outcome,
      reason: z.string().optional(),
      by: z.string(),
      startedAt: time,
      endedAt: time,
      sha256: sha256.optional().describe("Of its report"),
    }),
  ),
  switches: z.array(
    z.looseObject({ at: time, from: slot, to: slot, by: z.string(), durationMs: z.number() }),
  ),
});
