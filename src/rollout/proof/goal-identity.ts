import type { Clock } from "../../core/clock.ts";
import { UserError } from "../../core/errors.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { SlotObservation } from "../observe/observation.ts";
import { askPod, declaredIdentity, type LearnOptions } from "./identities.ts";
import type { Identities } from "./proof.ts";

/** What a way back knows of the slots' answers. */
export interface GoalIdentities {
  readonly identities: Identities;
  /** Whether the slot that is left answers like the goal: then the ingress cannot show which of them it is. */
  readonly alike: boolean;
}

/** How long the slot that is left is listened to after the goal is known, milliseconds: what it says is only of use, never needed. */
const graceMs = 20;
/** A healthy pod of the goal answers at once; the others are not waited for. */
const askMs = 5_000;

/**
 * What answers of the goal of a way back look like, as soon as one of its pods says it. Pods of the goal that are silent, and all that
 * the slot that is left answers, are unknown, no error: a way back depends on nothing that it leaves.
 * @throws UserError `goal-silent` where no ready pod of the goal says who it is
 */
export async function learnGoalIdentity(
  observed: Readonly<Record<Slot, SlotObservation>>,
  goal: Slot,
  options: LearnOptions & { readonly clock: Clock },
): Promise<GoalIdentities> {
  const enough = new AbortController();
  const signal = AbortSignal.any([options.signal, enough.signal]);
  const asking = { ...options, timeoutMs: askMs, signal };
  const left = learnAnyIdentity(observed[otherSlot(goal)], asking).catch(() => undefined);
  try {
    const own = await learnAnyIdentity(observed[goal], asking);
    const other = await Promise.race([left, options.clock.sleep(graceMs, signal).then(() => undefined)]);
    if (other === own) return { identities: { [goal]: own }, alike: true };
    return {
      identities: { [goal]: own, ...(other === undefined ? {} : { [otherSlot(goal)]: other }) },
      alike: false,
    };
  } finally {
    enough.abort();
  }
}

/**
 * The identity of the pod of a slot that is the first to say it.
 * @throws UserError `goal-silent`
 */
export async function learnAnyIdentity(observed: SlotObservation, options: LearnOptions): Promise<string> {
  const pods = observed.endpoints.ready.map(({ pod }) => pod).filter((pod) => pod !== undefined);
  if (options.declared === true && pods.length > 0) return declaredIdentity(observed, pods);
  const seen: string[] = [];
  const answers = pods.map(async (pod) => {
    try {
      const answer = await askPod(pod, options);
      if (answer.identity !== undefined) return answer.identity;
      seen.push(`${pod}: ${answer.seen}`);
    } catch (error) {
      if (options.signal.aborted) throw error;
      seen.push(`${pod}: ${error instanceof Error ? error.message : String(error)}`);
    }
    throw new Error(pod);
  });
  return await Promise.any(answers).catch(() => {
    const { slot } = observed;
    const lines = seen.map((line) => `\n  ${line}`).join("");
    throw new UserError({
      code: "goal-silent",
      message:
        pods.length === 0
          ? `No ready endpoint of ${slot} is a pod, so none can be asked who it is: nobody could tell that ${slot} answers.`
          : `No ready pod of ${slot} says who it is at ${options.identity.path}, so traffic did not go there:${lines}`,
      hint: `\`modelswitch status\` shows what is wrong with ${slot}; \`modelswitch rollback --to NUMBER\` goes to another release.`,
      details: { slot },
    });
  });
}
