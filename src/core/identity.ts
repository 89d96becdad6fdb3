/**
 * How an answer is recognised as blue's or green's: one GET request, and where in its answer the mark is.
 * The value itself is learnt from each slot's pods (through the API server's pod proxy) and must differ.
 */
export interface IdentityProbe {
  /** Absolute path on the model server, for example `/v2/models/fraud`. */
  readonly path: string;
  readonly from:
    | { readonly kind: "header"; readonly name: string }
    /** Dot-separated path into a JSON answer, for example `versions.0`. */
    | { readonly kind: "json"; readonly path: string }
    /** The whole answer, trimmed. */
    | { readonly kind: "body" };
}

/** The parts of an answer that an identity can be read from. Header names are lower case. */
export interface IdentityAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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
      let value: unknown;
      try {
        value = JSON.parse(answer.body);
      } catch {
        return undefined;
      }
      for (const key of probe.from.path.split(".")) {
        if (typeof value !== "object" || value === null) return undefined;
        value = (value as Record<string, unknown>)[key];
      }
      return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    }
  }
}
