import type { GrpcFields } from "./grpc-names.ts";
import { jsonAt } from "./json-path.ts";

/**
 * How an answer is recognised as blue's or green's: one GET request, and where in its answer the mark is.
 * The value itself is learnt from each slot's pods (through the API server's pod proxy) and must differ.
 */
export interface IdentityProbe {
  /** Absolute path on the model server, for example `/v2/models/fraud`. */
  readonly path: string;
  /**
   * What clients ask the ingress for to get to `path`, where something rewrites the path on the way: for example `/fraud/v2/models/fraud`.
   * @default `path`, or what `rewrite-target` makes it
   */
  readonly ingressPath?: string | undefined;
  readonly from:
    | { readonly kind: "header"; readonly name: string }
    /** Dot-separated path into a JSON answer, for example `versions.0`. */
    | { readonly kind: "json"; readonly path: string }
    /** The whole answer, trimmed. */
    | { readonly kind: "body" };
  /**
   * The same mark over gRPC: the ingress is asked so where `ingress.protocol` is `grpc` or `grpcs`. Pods show theirs over HTTP all the
   * same. @default none, the ingress is asked over HTTP
   */
  readonly grpc?: GrpcIdentity | undefined;
}

/** One call of a method that takes and returns a single message. Fields are named by their numbers: `1.2` is field 2 in field 1. */
export interface GrpcIdentity {
  /** Full name, for example `inference.GRPCInferenceService/ModelMetadata`. */
  readonly method: string;
  /** Texts of the request, for example `{ "1": "fraud" }`. @default an empty message */
  readonly request?: GrpcFields | undefined;
  readonly from: /** Metadata of the answer, before or after the message. */
    | { readonly kind: "metadata"; readonly name: string }
    /** The first text or whole number in a field of the answer, for example `2`. */
    | { readonly kind: "field"; readonly path: string };
}

/** The parts of an answer that an identity can be read from. Header names are lower case. */
export interface IdentityAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** More came than is read: `body` is its beginning. @default false */
  readonly truncated?: boolean | undefined;
  /** The message of an answer over gRPC. */
  readonly message?: Uint8Array | undefined;
}

/** The mark in an answer, or `undefined` when the answer is not a 2xx or carries none. */
export function readIdentity(probe: IdentityProbe, answer: IdentityAnswer): string | undefined {
  if (answer.status < 200 || answer.status > 299) return undefined;
  switch (probe.from.kind) {
    case "header":
      return answer.headers[probe.from.name.toLowerCase()];
    case "body":
      return answer.body.trim() || undefined;
    case "json": {
      let body: unknown;
      try {
        body = JSON.parse(answer.body);
      } catch {
        return undefined;
      }
      const value = jsonAt(body, probe.from.path);
      return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    }
  }
}
