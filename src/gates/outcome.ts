import type { IngressAnswer, IngressOutcome } from "./io.ts";

/** What a request of a gate came to, where any 2xx is an answer. */
export type Came =
  | { readonly kind: "answer"; readonly answer: IngressAnswer }
  | { readonly kind: "wrong"; readonly why: string }
  /** Nobody can say: the ingress was not reached, or limits requests. */
  | { readonly kind: "unanswered"; readonly why: string };

/** Pure. */
export function cameTo(outcome: IngressOutcome): Came {
  switch (outcome.kind) {
    case "unreachable":
      return { kind: "unanswered", why: `ingress not reached: ${outcome.why}` };
    case "broken":
      return { kind: "wrong", why: outcome.why };
    case "answer": {
      const { limit, status } = outcome.answer;
      if (limit !== undefined) return { kind: "unanswered", why: `not answered by the release: ${limit}` };
      const isRight = status >= 200 && status <= 299;
      return isRight ? { kind: "answer", answer: outcome.answer } : { kind: "wrong", why: `HTTP ${status}` };
    }
  }
}
