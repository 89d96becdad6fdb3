import { messageOf, UserError } from "../../core/errors.ts";
import type { RolloutContext } from "../context/context.ts";
import { questionsFor } from "../proof/identity-question.ts";
import type { ProofSubject } from "./proof-subject.ts";

/**
 * Makes sure that every address of the ingress gives an answer of whatever kind, before anything is written: a change that
 * can't be proved should not be begun.
 * @throws UserError `ingress-unreachable`
 */
export async function requireAnswer(context: RolloutContext, subject: ProofSubject): Promise<void> {
  const questions = questionsFor(subject.settings.ingress, subject.identity);
  await Promise.all(
    subject.endpoints.flatMap((endpoint) =>
      questions.map(async (question) => {
        let last: unknown;
        for (let attempt = 0; attempt < 3; attempt++) {
          try {
            await context.probe({
              ...question,
              endpoint,
              headers: {},
              timeoutMs: 5_000,
              signal: context.signal,
            });
            return;
          } catch (error) {
            if (error instanceof UserError) throw error;
            last = error;
            await context.clock.sleep(100, context.signal);
          }
        }
        throw new UserError({
          code: "ingress-unreachable",
          message: `The ingress gives no answer at ${endpoint.url} for ${question.host}, so no switch could be proved; nothing was changed: ${messageOf(last)}`,
          hint: 'Check the ingress controller, or say where it listens: ingress.endpoints: ["http://ADDRESS:PORT"] in the config file.',
          cause: last,
        });
      }),
    ),
  );
}
