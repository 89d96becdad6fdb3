import { z } from "zod";
import { messageOf, UserError } from "../core/errors.ts";
import type { IdentityProbe } from "../core/identity.ts";
import {
  type IngressSpec,
  inferenceProtocols,
  type ModelServer,
  type PodDefaults,
  podDefaultsVersions,
  routerNames,
  type SlotSpec,
} from "../core/model.ts";
import { type ObjectNames, objectNames, type SlotNames } from "../core/names.ts";
import type { ServiceSettings } from "../core/release-contents.ts";
import { type Slot, slots } from "../core/slots.ts";
import { type Adoption, adoptionSchema } from "./adoption/adoption.ts";
import { restoreFiles } from "./record-files.ts";
import {
  boundedOutcomes,
  type RolloutOutcomeRecord,
  type RolloutRecordEntry,
  rolloutEntrySchema,
  rolloutOutcomeSchema,
} from "./record-rollouts.ts";
import { recordVersion, upgradeRecord } from "./record-upgrades.ts";

/** What a release runs: a slot's spec without the parts that belong to the slot itself. */
export type ReleaseSpec = Omit<
  SlotSpec,
  "selector" | "release" | "deployment" | "service" | "autoscaler" | "autoscaling" | "disruptionBudget"
>;

/** How a slot's number of replicas is kept, where it is not a fixed one. */
export type SlotScaling = Pick<SlotSpec, "autoscaling" | "disruptionBudget">;

export interface ReleaseRecord {
  /** Counts up from 1 over both slots. */
  readonly number: number;
  readonly slot: Slot;
  readonly spec: ReleaseSpec;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Who made it, `user@host`. */
  readonly by: string;
  /** The image that its pods were first seen to run, as the node names it: mostly with its digest. */
  readonly imageId?: string;
  /** ISO 8601; when `up` first saw it carry traffic. Rollouts and switches are remembered where they are. */
  readonly liveSince?: string;
  /** The version that made it, where pods of this version have something more: its own stay as they are. */
  readonly podDefaults?: PodDefaults;
}

export interface SwitchRecord {
  readonly at: string;
  readonly from: Slot;
  readonly to: Slot;
  readonly by: string;
  readonly durationMs: number;
}

/** Settings of the model that were last applied; a switch uses these, so that it changes nothing but traffic. */
export interface AppliedSettings {
  readonly server: ModelServer;
  readonly ingress: IngressSpec;
  readonly router: (typeof routerNames)[number];
  readonly previewHeader: string;
  readonly identity: IdentityProbe | undefined;
  /** Replicas per slot, where there are Deployments; the fewest, where an autoscaler sizes it. */
  readonly replicas: Readonly<Record<Slot, number>>;
  /** Autoscalers and disruption budgets, where there are any. */
  readonly scaling?: Readonly<Partial<Record<Slot, SlotScaling>>>;
  /** Selectors that replace the default ones. */
  readonly selectors: Readonly<Partial<Record<Slot, Readonly<Record<string, string>>>>>;
  /** Names of the slots' objects that do not derive from the model's. @default all derive */
  readonly names?: Readonly<Partial<Record<Slot, SlotNames>>> | undefined;
  /** @default 80 */
  readonly servicePort?: number | undefined;
  /** @default none */
  readonly service?: ServiceSettings | undefined;
}

/**
 * The memory of a model, in one ConfigMap beside it, so that any machine that reaches the cluster sees it.
 * It never says which slot is live: the routing objects do.
 */
export interface RolloutRecord {
  readonly schemaVersion: typeof recordVersion;
  readonly model: string;
  /** Environment of the configuration file that the model belongs to; `null`: the file had none. */
  readonly environment: string | null;
  readonly releases: readonly ReleaseRecord[];
  /** Release per slot; `null`: no release was put into it. */
  readonly slots: Readonly<Record<Slot, number | null>>;
  readonly settings: AppliedSettings;
  /** A command wrote what it was about to apply and did not say that it finished. */
  readonly applying: boolean;
  /** Switches, newest last. */
  readonly history: readonly SwitchRecord[];
  /** The rollout in progress, or the last one. */
  readonly rollout?: RolloutRecordEntry | undefined;
  /** Rollouts that ended, newest last. */
  readonly rollouts?: readonly RolloutOutcomeRecord[] | undefined;
  /** Objects that existed before the model and became its slot. */
  readonly adoption?: Adoption | undefined;
}

/** The names of a recorded model's objects. */
export function namesOfRecord(record: RolloutRecord): ObjectNames {
  const { names, ingress } = record.settings;
  return objectNames(record.model, { slots: names ?? {}, ingress: ingress.name });
}

const keptHistory = 50;
const keptReleases = 50;

const slotSchema = z.enum(slots);
const texts = z.record(z.string(), z.string());
const probe = z.object({
  path: z.string(),
  service: z.string().optional(),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});
const identity = z.object({
  path: z.string(),
  ingressPath: z.string().optional(),
  from: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("header"), name: z.string() }),
    z.object({ kind: z.literal("json"), path: z.string() }),
    z.object({ kind: z.literal("body") }),
  ]),
  grpc: z
    .object({
      method: z.string(),
      request: texts.optional(),
      from: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("metadata"), name: z.string() }),
        z.object({ kind: z.literal("field"), path: z.string() }),
      ]),
    })
    .optional(),
});
const releaseSpec = z.looseObject({
  image: z.string().optional(),
  replicas: z.number().int().min(0).optional(),
  env: z.record(z.string(), z.union([z.string(), z.looseObject({ key: z.string() })])).optional(),
  model: z.looseObject({ uri: z.string() }).optional(),
  /** Digests of the contents, which are in `files`. */
  configFiles: texts.optional(),
  versions: texts.optional(),
  resources: z.object({ requests: texts.optional(), limits: texts.optional() }).optional(),
  imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).optional(),
  args: z.array(z.string()).optional(),
});
const slotScaling = z.looseObject({
  autoscaling: z.looseObject({ min: z.number().int(), max: z.number().int() }).optional(),
});
const slotNames = z.object({
  deployment: z.string().optional(),
  service: z.string().optional(),
  autoscaler: z.string().optional(),
});
const recordSchema = z.object({
  schemaVersion: z.literal(recordVersion),
  model: z.string(),
  environment: z.string().nullable(),
  releases: z.array(
    z.object({
      number: z.number().int().min(1),
      slot: slotSchema,
      spec: releaseSpec,
      createdAt: z.string(),
      by: z.string(),
      imageId: z.string().optional(),
      liveSince: z.string().optional(),
      podDefaults: z.enum(podDefaultsVersions).optional(),
    }),
  ),
  files: texts.optional(),
  slots: z.object({ blue: z.number().int().nullable(), green: z.number().int().nullable() }),
  settings: z.object({
    server: z.object({
      name: z.string(),
      httpPort: z.number().int(),
      http: z.literal(false).optional(),
      otherPorts: z.record(z.string(), z.number().int()),
      readiness: probe,
      liveness: probe.optional(),
      startup: probe.optional(),
      preStopSleepSeconds: z.number(),
      terminationGracePeriodSeconds: z.number(),
      env: texts,
      keepAliveSeconds: z.number().optional(),
      identity: identity.optional(),
      protocol: z.enum(inferenceProtocols).optional(),
      metrics: z.object({ port: z.number().int(), path: z.string() }).optional(),
      draining: z
        .object({
          gauges: z.array(z.string()),
          baseline: z.number().optional(),
          lagSeconds: z.number().optional(),
          countsGrpc: z.boolean().optional(),
        })
        .optional(),
    }),
    ingress: z.looseObject({ host: z.string() }),
    router: z.enum(routerNames),
    previewHeader: z.string(),
    identity: identity.optional(),
    replicas: z.object({ blue: z.number().int(), green: z.number().int() }),
    scaling: z.object({ blue: slotScaling.optional(), green: slotScaling.optional() }).optional(),
    selectors: z.object({ blue: texts.optional(), green: texts.optional() }),
    names: z.object({ blue: slotNames.optional(), green: slotNames.optional() }).optional(),
    servicePort: z.number().int().optional(),
    service: z.looseObject({ labels: texts.optional(), annotations: texts.optional() }).optional(),
  }),
  applying: z.boolean(),
  adoption: adoptionSchema.optional(),
  history: z.array(
    z.object({
      at: z.string(),
      from: slotSchema,
      to: slotSchema,
      by: z.string(),
      durationMs: z.number(),
    }),
  ),
  rollout: rolloutEntrySchema.optional(),
  rollouts: z.array(rolloutOutcomeSchema).optional(),
});

/**
 * Reads what the ConfigMap holds; what an older modelswitch wrote becomes what this one would have written.
 * @throws UserError `record-invalid`, `record-version`
 */
export function parseRecord(text: string | undefined, where: string): RolloutRecord {
  const invalid = (why: string) =>
    new UserError({
      code: "record-invalid",
      message: `The rollout record in the ConfigMap ${where} cannot be read: ${why}.`,
      hint: "Restore it from a backup, or delete the ConfigMap: the next `modelswitch up` writes a new one from what runs.",
      details: { configMap: where },
    });
  if (text === undefined) throw invalid("the key `record` is missing");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`it is not JSON (${messageOf(error)})`);
  }
  const parsed = recordSchema.safeParse(upgradeRecord(value, where));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${issue?.path.join(".") || "the document"}: ${issue?.message ?? "unexpected"}`);
  }
  // Optional keys come back absent; the types of the product have them present and undefined.
  const { files = {}, ...document } = parsed.data;
  const releases = document.releases.map((release) => {
    const restored = restoreFiles(release.spec, files);
    if ("missing" in restored)
      throw invalid(`release ${release.number} has the config file ${restored.missing} without its contents`);
    return { ...release, spec: restored.spec };
  });
  const { settings } = document;
  return {
    ...document,
    releases,
    settings: {
      ...settings,
      identity: settings.identity,
      server: {
        ...settings.server,
        liveness: settings.server.liveness,
        startup: settings.server.startup,
        keepAliveSeconds: settings.server.keepAliveSeconds,
        identity: settings.server.identity,
      },
    },
  } as RolloutRecord;
}

/** The spec of the release that a slot runs. */
export function releaseOf(record: RolloutRecord, slot: Slot): ReleaseRecord | undefined {
  const number = record.slots[slot];
  return number === null ? undefined : record.releases.find((release) => release.number === number);
}

export function nextReleaseNumber(record: RolloutRecord | undefined): number {
  return Math.max(0, ...(record?.releases ?? []).map((release) => release.number)) + 1;
}

/** Keeps the record small: ConfigMaps hold 1 MiB. Releases that a slot runs always stay. */
export function bounded(record: RolloutRecord): RolloutRecord {
  const running = new Set([record.slots.blue, record.slots.green]);
  const drop = Math.max(0, record.releases.length - keptReleases);
  return {
    ...record,
    releases: record.releases.filter((release, index) => index >= drop || running.has(release.number)),
    history: record.history.slice(-keptHistory),
    ...(record.rollouts === undefined ? {} : { rollouts: boundedOutcomes(record.rollouts) }),
  };
}
