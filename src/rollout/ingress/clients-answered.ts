import { within } from "../../core/clock.ts";
import { isLasting } from "../../core/met.ts";
import type { Slot } from "../../core/slots.ts";
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
  return areServed(await answersOfClients(context, record, observation));
}

/** How fresh requests at the ingress were answered. */
export interface ClientAnswers {
  readonly right: number;
  /** Answered, but by no slot that is known: an error, or something else than the model. Limits, sign-ins and redirects are not among them. */
  readonly wrong: number;
  /** Not answered in time, although one with the preview header of the other slot was: it is neither this machine nor the way to the ingress. */
  readonly silent: number;
}

const nothing: ClientAnswers = { right: 0, wrong: 0, silent: 0 };

/** Whether clients are served rightly by these answers. Pure. */
export function areServed({ right }: ClientAnswers): boolean {
  return right >= needed;
}

/**
 * Sends ten requests as clients do, and one with the preview header where `previews` says which slot that leads to. Never throws: what is
 * not there in time is not answered.
 */
export async function answersOfClients(
  outer: RolloutContext,
  { settings }: RolloutRecord,
  observation: Observation,
  previews?: { readonly slot: Slot; readonly value: string },
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
    const outcomeWith = async (headers: Readonly<Record<string, string>>) => {
      try {
        const about = { endpoint, headers, timeoutMs: limitMs, signal: context.signal };
        const answer = await context.probe({ ...question, ...about });
        return outcomeOf(question, identity, answer, {
          protocol: endpoint.protocol,
          known: known.filter((one) => one !== undefined),
          now: context.clock.now(),
        });
      } catch {
        return undefined;
      }
    };
    const [preview, ...outcomes] = await Promise.all([
      previews === undefined ? undefined : outcomeWith({ [settings.previewHeader]: previews.value }),
      ...Array.from({ length: asked }, () => outcomeWith({})),
    ]);
    const isRight = (one: ProbeOutcome | undefined) =>
      one?.kind === "answer" && one.identity !== undefined && known.includes(one.identity);
    const isWrong = (one: ProbeOutcome | undefined) =>
      one?.kind === "answer" && !isRight(one) && (one.met === undefined || !isLasting(one.met.kind));
    const isThere =
      previews !== undefined &&
      preview?.kind === "answer" &&
      preview.identity !== undefined &&
      preview.identity === known[slots.indexOf(previews.slot)];
    return {
      right: outcomes.filter(isRight).length,
      wrong: outcomes.filter(isWrong).length,
      silent: isThere ? outcomes.filter((one) => one === undefined).length : 0,
    };
  } catch {
    return nothing;
  } finally {
    over.abort();
  }
}
