import { messageOf, UserError } from "../../core/errors.ts";
import { ingressGuards } from "../../core/ingress-guards.ts";
import type { Met } from "../../core/met.ts";
import { isLasting } from "../../core/met.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import type { Question } from "../proof/identity-question.ts";
import { outcomeOf, questionsFor } from "../proof/identity-question.ts";
import { adviceFor } from "../proof/met-advice.ts";
import { Pace } from "../proof/pace.ts";
import type { ProofSubject } from "./proof-subject.ts";

/** Failures in a row, or things in the way, that are believed. */
const attempts = 3;
const pauseMs = 100;

/**
 * Makes sure, where nothing can be proved beforehand, that requests come through at every address of the ingress: a change that can't be
 * proved should not be begun. What the model answers does not matter, nor that a controller knows no server: the slot that is left may
 * be bad. What stands in front of the model (a sign-in, a redirect, a limit) says nothing of the model, so it is no answer.
 * @throws UserError `ingress-unreachable`, `ingress-barred`
 */
export async function requireAnswer(context: RolloutContext, subject: ProofSubject): Promise<void> {
  const questions = questionsFor(subject.settings.ingress, subject.identity);
  const pace = new Pace(context.clock, context.signal);
  const until = context.clock.now() + context.config.deadlines.proofMs;
  await Promise.all(
    subject.endpoints.flatMap((endpoint) =>
      questions.map((question) => untilAnswered(context, subject, { endpoint, question, pace, until })),
    ),
  );
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly question: Question;
  readonly pace: Pace;
  readonly until: number;
}

async function untilAnswered(context: RolloutContext, subject: ProofSubject, asked: Asked): Promise<void> {
  const { endpoint, question, pace, until } = asked;
  let failures = 0;
  let met: Met | undefined;
  for (;;) {
    const ticket = await pace.turn(until);
    // Limited for as long as a proof would take: it would not come through either.
    if (ticket === undefined) throw barred(asked, met);
    const outcome = await ask(context, subject, endpoint, question);
    const limit = outcome.kind === "unanswered" ? outcome.met : undefined;
    pace.done(ticket, { limited: limit !== undefined, retryAfterMs: limit?.retryAfterMs });
    if (limit !== undefined) {
      met = limit;
      continue;
    }
    if (outcome.kind === "answer" && (outcome.met === undefined || !isLasting(outcome.met.kind))) return;
    failures += 1;
    if (failures >= attempts) {
      throw outcome.kind === "failed" ? unreachable(asked, outcome.error) : barred(asked, outcome.met);
    }
    await context.clock.sleep(pauseMs, context.signal);
  }
}

type Outcome =
  | { readonly kind: "answer"; readonly met?: Met }
  | { readonly kind: "unanswered"; readonly met: Met }
  | { readonly kind: "failed"; readonly error: unknown };

async function ask(
  { probe, signal, clock }: RolloutContext,
  { settings, identity, identities }: ProofSubject,
  endpoint: Endpoint,
  question: Question,
): Promise<Outcome> {
  try {
    const answer = await probe({ ...question, endpoint, headers: {}, timeoutMs: 5_000, signal });
    const outcome = outcomeOf(question, identity, answer, {
      protocol: endpoint.protocol,
      isLimited: ingressGuards(settings.ingress.annotations).some(({ kind }) => kind === "limit"),
      known: Object.values(identities),
      now: clock.now(),
    });
    // An error over gRPC is an answer, too.
    return outcome.kind === "error" ? { kind: "answer" } : outcome;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return { kind: "failed", error };
  }
}

function unreachable({ endpoint, question }: Asked, error: unknown): UserError {
  return new UserError({
    code: "ingress-unreachable",
    message: `The ingress gives no answer at ${endpoint.url} for ${question.host}, so no switch could be proved; nothing was changed: ${messageOf(error)}`,
    hint: 'Check the ingress controller, or say where it listens: ingress.endpoints: ["http://ADDRESS:PORT"] in the config file.',
    cause: error,
  });
}

function barred({ endpoint, question }: Asked, met: Met | undefined): UserError {
  return new UserError({
    code: "ingress-barred",
    message: `Something in front of the model answers at ${endpoint.url} for ${question.host}, so no switch could be proved; nothing was changed: ${met?.why ?? "no answer in time"}.`,
    hint: adviceFor(met === undefined ? [] : [met.kind]).join(" "),
  });
}
