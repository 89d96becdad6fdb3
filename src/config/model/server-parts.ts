import { z } from "zod";
import { fieldPathPattern, methodPattern } from "../../core/grpc-names.ts";
import { absolutePath, headerToken, label, port, text } from "../parts/schema-parts.ts";

/** What the descriptions of model servers have in common, and `identity`. */

export const environment = z
  .record(
    z.string().regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/, "is no name of an environment variable"),
    z.string(),
  )
  .describe("Environment variables of the model server's container");

const fieldPath = z.string().regex(fieldPathPattern, "must be numbers of fields, for example 2 or 1.2");

export const grpcIdentity = z
  .strictObject({
    method: z
      .string()
      .regex(methodPattern, "must be SERVICE/METHOD, without a slash in front")
      .describe("Full name, for example inference.GRPCInferenceService/ModelMetadata"),
    request: z
      .record(fieldPath, z.string())
      .optional()
      .describe("Texts of the request by the numbers of their fields. Default: an empty message"),
    from: z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.literal("metadata"),
        name: z.string().regex(headerToken, "is no name of metadata").describe("Name of the metadata"),
      }),
      z.strictObject({
        kind: z.literal("field"),
        path: fieldPath.describe("Numbers of the fields that lead to the mark, for example 2"),
      }),
    ]),
  })
  .describe(
    "The same mark over gRPC, where ingress.protocol is grpc or grpcs. Default: none, the ingress is asked over HTTP",
  );

export const identitySchema = z
  .strictObject({
    path: absolutePath.describe("Path on the model server, for example /v2/models/fraud"),
    ingressPath: absolutePath
      .optional()
      .describe(
        "What clients ask the ingress for to get there, where something rewrites paths. Default: path, or what rewrite-target makes it",
      ),
    from: z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.literal("header"),
        name: z.string().regex(headerToken, "is no header name").describe("Name of the response header"),
      }),
      z.strictObject({
        kind: z.literal("json"),
        path: text("Dot-separated path into the JSON answer, for example versions.0"),
      }),
      z.strictObject({ kind: z.literal("body") }),
    ]),
    grpc: grpcIdentity.optional(),
  })
  .describe("How an answer is recognised as blue's or green's. Default: the preset's");

export const containerPorts = z
  .record(z.string().regex(label, "is no port name"), port)
  .describe("Other ports by name");

/** What tells how a server is seen and reached. */
export const serverFacts = {
  keepAliveSeconds: z.number().positive().describe("How long it keeps an idle connection open"),
  metrics: z
    .strictObject({ port: port.describe("One of the container's ports"), path: absolutePath })
    .describe("Where its Prometheus metrics are"),
  draining: z
    .strictObject({
      gauges: z.array(text("Name of a gauge")).min(1),
      baseline: z.number().min(0).optional().describe("What they say on an idle replica. Default: 0"),
      lagSeconds: z
        .number()
        .min(0)
        .optional()
        .describe("Seconds by which the metrics may be late. Default: 0"),
      countsGrpc: z.boolean().optional().describe("Whether gRPC requests are counted, too. Default: false"),
    })
    .describe("Gauges that are 0 when no request is in progress"),
};
