import { z } from "zod";
import { about, aboutContext, count, head, oneOrSeveral, slot, time } from "./parts.ts";

export const versionDocument = z.looseObject({
  ...head,
  modelswitch: z.string(),
  node: z.string(),
  platform: z.string(),
});

const checkState = z.enum(["ok", "warning", "failed", "skipped"]);

export const doctorDocument = z.looseObject({
  ...head,
  checks: z.array(
    z.looseObject({
      name: z.string().describe("Stable"),
      title: z.string(),
      state: checkState,
      detail: z.string(),
      hint: z.string().optional(),
    }),
  ),
  counts: z.record(checkState, count),
});

export const unlockDocument = z.looseObject({
  ...head,
  ...aboutContext,
  found: z.string().describe("free, or what became of the lock"),
  holder: z.unknown().describe("null: nobody, or nobody that is known"),
  since: z.string().optional().describe("ISO 8601, or in words that it is not known"),
  heartbeatSecondsAgo: z.number().optional(),
});

export const logsDocument = z.looseObject({
  ...head,
  ...about,
  slot,
  lines: z.array(z.looseObject({ pod: z.string(), container: z.string(), line: z.string() })),
  skipped: z.array(z.looseObject({ pod: z.string(), why: z.string() })),
});

export const rbacDocument = z.looseObject({
  ...head,
  model: z.string(),
  manifests: z.array(z.looseObject({ apiVersion: z.string(), kind: z.string() })),
});

export const initDocument = z.looseObject({
  ...head,
  file: z.string(),
  gitignore: z.boolean().describe("Whether .gitignore was written, too"),
  config: z.looseObject({}),
  toChange: z.array(z.string()),
  plan: z.array(z.string()).optional().describe("With --from: what `adopt` would do"),
});

export const configValidateDocument = z.looseObject({
  ...head,
  file: z.string(),
  targets: z.array(
    z.looseObject({ model: z.string(), environment: z.string().nullable(), stack: z.string() }),
  ),
  warnings: count,
});

export const routerTestDocument = z.looseObject({
  ...head,
  router: z.string(),
  model: z.string(),
  checks: z.array(
    z.looseObject({
      name: z.string(),
      state: z.string().describe("ok or failed"),
      details: z.array(z.string()),
    }),
  ),
  failed: count,
});

export const configShowDocument = oneOrSeveral({ model: z.string() });

export const stateShowDocument = z.looseObject({
  ...head,
  ...aboutContext,
  place: z.string(),
  where: z.string(),
  stack: z.string(),
  project: z.string(),
  resources: count.nullable(),
  copy: z.unknown(),
  recorded: z.unknown(),
  operation: z.looseObject({ serial: z.int(), by: z.string(), at: time }).nullable(),
  saved: z.looseObject({ serial: z.int(), by: z.string(), at: time }).nullable(),
});

export const stateExportDocument = z.looseObject({
  ...head,
  ...aboutContext,
  state: z.unknown().optional().describe("Where no file is named"),
  file: z.string().optional(),
  showSecrets: z.boolean().optional(),
});

const cluster = z.looseObject({
  name: z.string(),
  version: z.string(),
  kubeconfigPath: z.string(),
  kubectlPath: z.string(),
  ingressUrl: z.string(),
});
const clusterState = z.enum(["absent", "running", "degraded", "stopped"]);

export const clusterListDocument = z.looseObject({
  ...head,
  clusters: z.array(z.looseObject({ name: z.string(), state: clusterState, cluster: cluster.optional() })),
});

export const clusterStatusDocument = z.looseObject({
  ...head,
  name: z.string(),
  state: clusterState,
  cluster: cluster.optional(),
  components: z.array(z.looseObject({ component: z.string(), state: z.enum(["running", "stopped"]) })),
});
