import { slots } from "../../core/slots.ts";
import type { RolloutContext } from "../context.ts";
import { learnAnyIdentity } from "../goal-identity.ts";
import type { Observation } from "../observation.ts";
import { outcomeOf, questionsFor } from "../question.ts";
import type { RolloutRecord } from "../record.ts";
import { identityProbe, ingressOf, learnOptions } from "../subject.ts";

/** Fresh requests that are sent. */
const asked = 10;
/** Of which so many must be answered rightly. */
const needed = 9;
/** How long all of it may take, milliseconds: clients wait for the answer. */
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
  return (await answersOfClients(context, record, observation, limitMs)).right >= needed;
}

/** How fresh requests at the ingress were answered. */
export interface ClientAnswers {
  readonly right: number;
  /** Answered, but by no slot that is known: an error, or something else than the model. Limits, sign-ins and redirects are not among them. */
  readonly wrong: number;
}

const nothing: ClientAnswers = { right: 0, wrong: 0 };

/** Sends ten requests as clients do, and looks at what has come within a time. Never throws. */
export async function answersOfClients(
  context: RolloutContext,
  record: RolloutRecord,
  observation: Observation,
  withinMs: number,
): Promise<ClientAnswers> {
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  const seen = { right: 0, wrong: 0 };
  const late = context.clock.sleep(withinMs, signal).catch(() => undefined);
  try {
    await Promise.race([ask({ ...context, signal }, record, observation, withinMs, seen), late]);
    return { ...seen };
  } catch {
    return nothing;
  } finally {
    over.abort();
  }
}

async function ask(
  context: RolloutContext,
  { settings }: RolloutRecord,
  observation: Observation,
  timeoutMs: number,
  seen: { right: number; wrong: number },
): Promise<void> {
  const identity = identityProbe(settings);
  const options = learnOptions(context, settings, identity);
  const [endpoints, ...known] = await Promise.all([
    ingressOf(context, settings, observation),
    ...slots.map((slot) => learnAnyIdentity(observation.slots[slot], options).catch(() => undefined)),
  ]);
  const [endpoint] = endpoints;
  const [question] = questionsFor(settings.ingress, identity);
  if (endpoint === undefined || question === undefined) return;
  const { signal } = context;
  const one = async () => {
    const answer = await context.probe({ ...question, endpoint, headers: {}, timeoutMs, signal });
    const outcome = outcomeOf(question, identity, answer);
    if (outcome.kind !== "answer") return;
    if (outcome.identity !== undefined && known.includes(outcome.identity)) seen.right += 1;
    else if (!isLimited(outcome.status)) seen.wrong += 1;
  };
  await Promise.all(Array.from({ length: asked }, () => one().catch(() => undefined)));
}

/** What stands before the model, and says nothing of it. */
function isLimited(status: number): boolean {
  return (status >= 300 && status < 400) || [401, 403, 407, 429].includes(status);
}
