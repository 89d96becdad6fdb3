import { z } from "zod";
import { tied } from "../../config/parts/tied.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { inferenceProtocols, podDefaultsVersions } from "../../core/model.ts";
import { ownRouterPrefix, routerNames } from "../../core/router-names.ts";
import { slots } from "../../core/slots.ts";
import { stickyKinds } from "../../core/testers.ts";
import { adoptionSchema } from "./adoption.ts";
import { migrationSchema } from "./migration.ts";
import type { RolloutRecord } from "./record.ts";
import { restoreFiles } from "./record-files.ts";
import { recordVersion, upgradeRecord } from "./record-upgrades.ts";
import { rolloutEntrySchema, rolloutOutcomeSchema } from "./rollouts.ts";

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
/** The record as it is stored: with the contents of config files, each once, beside the releases. */
interface StoredRecord extends RolloutRecord {
  /** By their digest. */
  readonly files?: Readonly<Record<string, string>>;
}

const recordSchema = tied<StoredRecord>()(
  z.object({
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
      router: z.union([z.enum(routerNames), z.templateLiteral([ownRouterPrefix, z.string()])]),
      previewHeader: z.string(),
      identity: identity.optional(),
      replicas: z.object({ blue: z.number().int(), green: z.number().int() }),
      scaling: z.object({ blue: slotScaling.optional(), green: slotScaling.optional() }).optional(),
      selectors: z.object({ blue: texts.optional(), green: texts.optional() }),
      names: z.object({ blue: slotNames.optional(), green: slotNames.optional() }).optional(),
      servicePort: z.number().int().optional(),
      service: z.looseObject({ labels: texts.optional(), annotations: texts.optional() }).optional(),
      routing: z
        .object({
          testers: z
            .object({
              header: z.object({ name: z.string(), value: z.string() }).optional(),
              cookie: z.object({ name: z.string(), value: z.string().optional() }).optional(),
            })
            .optional(),
          sticky: z.union([z.enum(stickyKinds), z.literal(false)]).optional(),
        })
        .optional(),
      endpoints: z.array(z.string()).optional(),
    }),
    applying: z.boolean(),
    state: z.object({ project: z.string(), stack: z.string(), backend: z.string().nullable() }).optional(),
    adoption: adoptionSchema.optional(),
    migration: migrationSchema.optional(),
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
  }),
);

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
