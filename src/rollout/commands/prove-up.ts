import { UserError } from "../../core/errors.ts";
import type { Note } from "../../core/note.ts";
import { liveSlot } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { readiness } from "../../slots/readiness.ts";
import type { RolloutContext } from "../context/context.ts";
import { identityProbe, proofSubject } from "../ingress/proof-subject.ts";
import { proveRouting, unproved } from "../ingress/prove-routing.ts";
import type { Observation } from "../observe/observation.ts";
import { type ModelLocation, observe } from "../observe/observe.ts";
import type { UpPlan } from "../plan/desired.ts";

/** `skipped` says why nothing could be asked. */
export type UpProof =
  | { readonly state: "proved"; readonly probes: number; readonly endpoints: readonly string[] }
  | { readonly state: "skipped"; readonly reason: string };

/** Proves at the ingress that the live slot answers, as far as there is anybody to ask. */
export async function proveUp(
  context: RolloutContext,
  location: ModelLocation,
  plan: Pick<UpPlan, "record" | "routing">,
  seen?: Observation,
): Promise<{ proof: UpProof; notes: Note[] }> {
  const observation = seen ?? (await observe(location));
  const { settings } = plan.record;
  const live = liveSlot(plan.routing);
  const readySlots = slots.filter((slot) => readiness(observation.slots[slot]).state === "ready");
  const skipped = (reason: string, notes: Note[] = []) => ({
    proof: { state: "skipped", reason } as const,
    notes,
  });
  if (!readySlots.includes(live)) {
    return skipped(`${live} has no ready pods yet`, [
      {
        code: "live-slot-empty",
        message: `${live} gets the traffic and has no ready pods: clients see errors until it does.`,
        hint: `Start pods with the labels ${labels(observation, live)}.`,
      },
    ]);
  }
  try {
    identityProbe(settings);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return skipped("nothing says how a slot is recognised", [asNote(error)]);
  }
  const notes: Note[] = [];
  const about = { settings, router: location.router, observation };
  const subject = await proofSubject(context, { ...about, readySlots }).catch(async (error: unknown) => {
    if (!(error instanceof UserError) || error.code !== "slots-indistinguishable") throw error;
    // It is the switch that needs to tell them apart; that the live slot answers can be proved all the same.
    notes.push({ ...asNote(error), message: `${error.message} A switch will be refused until they can be.` });
    return await proofSubject(context, { ...about, readySlots: [live] });
  });
  const verdict = await proveRouting(context, subject, plan.routing, {
    id: "prove",
    title: `Prove at the ingress that ${live} answers`,
    signal: context.signal,
  });
  if (verdict.state === "open") {
    throw unproved(subject, verdict, {
      message: `The model is deployed and ${live} is ready, but the ingress does not show it`,
      hint: `Check that a controller for the class ${observation.ingress?.className ?? "of the Ingress"} runs and where it listens (ingress.endpoints in the config file).`,
    });
  }
  if (verdict.evidence.probes === 0)
    return skipped(`no ready endpoint of ${live} is a pod that can be asked`, notes);
  const endpoints = subject.endpoints.map(({ url }) => url);
  return { proof: { state: "proved", probes: verdict.evidence.probes, endpoints }, notes };
}

/** An error that stops nothing. */
export function asNote(error: UserError): Note {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

function labels(observation: Observation, slot: Slot): string {
  const selector = Object.entries(observation.slots[slot].service?.selector ?? {});
  return selector.map(([key, value]) => `${key}=${value}`).join(",");
}
