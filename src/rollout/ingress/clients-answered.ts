import { within } from "../../core/clock.ts";
import { isLasting } from "../../core/met.ts";
import { slots } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { learnAnyIdentity } from "../proof/goal-identity.ts";
import { outcomeOf, questionsFor } from "../proof/identity-question.ts";
import type { ProbeOutcome } from "../proof/proof.ts";
import type { RolloutRecord } from "../record/record.ts";
import { identityProbe, ingressOf, learnOptions } from "./proof-subject.ts";

/** Fresh requests that are sent. */
const asked = 10;
/** Of which so many must be answered rightly. */
const needed = 9;
/** How long one of them may take, milliseconds, and what has to be known before: clients wait for the answer. */
const limitMs = 300;

/**
 * Whether clients are served rightly at this moment: at least nine of ten fresh requests at the ingress are answered by a pod of a
 * slot, with the identity that this slot has. What cannot be told within 300 ms is no: then nothing is lost by leaving.
 */
export async function areClientsAnswered(
  context: RolloutContext,
  record: RolloutRecord,
  observation: Observation,
): Promise<boolean> {
  return (await answersOfClients(context, record, observation)).right >= needed;
}

/** How fresh requests at the ingress were answered. */
export interface ClientAnswers {
  readonly right: number;
  /** Answered, but by no slot that is known: an error, or something else than the model. Limits, sign-ins and redirects are not among them. */
  readonly wrong: number;
}

const nothing: ClientAnswers = { right: 0, wrong: 0 };

/** Sends ten requests as clients do. Never throws: what is not there in time is not answered. */
export async function answersOfClients(
  outer: RolloutContext,
  { settings }: RolloutRecord,
  observation: Observation,
): Promise<ClientAnswers> {
  const over = new AbortController();
  const context = { ...outer, signal: AbortSignal.any([outer.signal, over.signal]) };
  try {
    const identity = identityProbe(settings);
    const options = learnOptions(context, settings, identity);
    const who = slots.map((slot) =>
      learnAnyIdentity(observation.slots[slot], options).catch(() => undefined),
    );
    const looked = Promise.all([ingressOf(context, settings, observation), Promise.all(who)]);
    const [[endpoint] = [], known = []] = (await within(context, limitMs, looked)) ?? [];
    const [question] = questionsFor(settings.ingress, identity);
    if (endpoint === undefined || question === undefined) return nothing;
    const request = { ...question, endpoint, headers: {}, timeoutMs: limitMs, signal: context.signal };
    const outcomes = await Promise.all(
      Array.from({ length: asked }, () =>
        context.probe(request).then(
          (answer) =>
            outcomeOf(question, identity, answer, {
              protocol: endpoint.protocol,
              known: known.filter((one) => one !== undefined),
              now: context.clock.now(),
            }),
          () => undefined,
        ),
      ),
    );
    const isRight = (one: ProbeOutcome | undefined) =>
      one?.kind === "answer" && one.identity !== undefined && known.includes(one.identity);
    const isWrong = (one: ProbeOutcome | undefined) =>
      one?.kind === "answer" && !isRight(one) && (one.met === undefined || !isLasting(one.met.kind));
    return { right: outcomes.filter(isRight).length, wrong: outcomes.filter(isWrong).length };
  } catch {
    return nothing;
  } finally {
    over.abort();
  }
}
