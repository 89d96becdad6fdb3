import { z } from "zod";
import { presetNames } from "../../component/servers/preset-server.ts";
import { inferenceProtocols } from "../../core/model.ts";
import { absolutePath, count, port, text } from "../parts/schema-parts.ts";
import { presetSchema } from "./preset-schema.ts";
import { containerPorts, environment, identitySchema, serverFacts } from "./server-parts.ts";

/** The shape of `server` in the configuration file. */

const probe = z.strictObject({
  path: absolutePath,
  service: z
    .string()
    .optional()
    .describe("What the gRPC health service is asked about, without HTTP. Default: the server as a whole"),
  periodSeconds: count("Seconds between two probes", 1),
  timeoutSeconds: count("Seconds until a probe counts as failed", 1),
  failureThreshold: count("Failures in a row until the verdict changes", 1),
});

const server = z
  .strictObject({
    name: text("Name of the preset, for messages"),
    httpPort: port.describe("Port of the inference protocol over HTTP"),
    http: z.literal(false).optional().describe("false: nothing answers HTTP, httpPort takes gRPC"),
    otherPorts: containerPorts,
    readiness: probe,
    liveness: probe.optional(),
    startup: probe.optional(),
    preStopSleepSeconds: count("Seconds a terminating pod goes on serving", 0),
    terminationGracePeriodSeconds: count("At least preStopSleepSeconds plus the longest request", 1),
    env: environment,
    keepAliveSeconds: serverFacts.keepAliveSeconds.optional(),
    identity: identitySchema.optional(),
    protocol: z.enum(inferenceProtocols).optional().describe("What inference requests look like"),
    metrics: serverFacts.metrics.optional(),
    draining: serverFacts.draining.optional(),
  })
  .describe("A model server as made with triton({...}), custom({...}) or another function");

/** A preset's name, a preset with options, or a model server. */
export const serverSchema = z
  .union([z.enum(presetNames), presetSchema, server])
  .describe("A preset by name or with options, or a model server. Default: custom on port 8080");
