import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { Routing } from "../../core/routing.ts";
import { asNote, proveUp, type UpProof } from "../commands/prove-up.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { observe } from "../observe/observe.ts";
import type { RolloutRecord } from "../record/record.ts";

/**
 * Proves that the ingress answers from the adopted slot. Nothing that clients see was changed, so a server whose answers
 * say nothing of who gave them is a warning here; a switch will refuse it.
 */
export async function proveAdopted(
  context: RolloutContext,
  record: RolloutRecord,
  routing: Routing,
): Promise<UpProof> {
  try {
    const { proof, notes } = await proveUp(context, locationOf(context, record), { record, routing });
    for (const note of notes) context.events({ type: "warning", ...note });
    return proof;
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "slots-indistinguishable") throw error;
    context.events({ type: "warning", ...asNote(error) });
    return { state: "skipped", reason: "the answers of the pods do not say who gave them" };
  }
}

/**
 * The same before anything is written: what cannot be proved now could not be afterwards either, and then it would be done.
 * @throws UserError `adoption-unproved`
 */
export async function proveBefore(context: RolloutContext, record: RolloutRecord): Promise<void> {
  const unproved = (reason: string, hint: string, cause?: unknown) =>
    new UserError({
      code: "adoption-unproved",
      message: `Nothing was taken over, since it could not be proved that ${context.config.name} answers as the configuration says: ${reason}`,
      hint,
      exitCode: exitCodes.failed,
      cause,
    });
  const { routing } = await observe(locationOf(context, record));
  if (routing === undefined) {
    throw unproved(
      "the Ingress leads elsewhere by now.",
      "Run `modelswitch adopt` again and look at the new plan.",
    );
  }
  let proof: UpProof;
  try {
    proof = await proveAdopted(context, record, routing);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof UserError) || error.code === "mark-untrue") throw error;
    throw unproved(
      error.message,
      `Nothing was changed. Look at \`identity\` and \`ingress.endpoints\` in the configuration. ${error.hint ?? ""}`.trim(),
      error,
    );
  }
  // What somebody said of pods that cannot be asked: once it is written down nothing corrects it.
  if (record.settings.server.http === false && proof.state !== "proved") {
    throw unproved(`${proof.reason}.`, "Nothing was changed. Run the command again once the pods are ready.");
  }
}

/** The same where everything is done already: what was done is not denied for what nobody can see. */
export async function proveReturned(
  context: RolloutContext,
  record: RolloutRecord,
  routing: Routing,
): Promise<UpProof> {
  try {
    return await proveAdopted(context, record, routing);
  } catch (error) {
    const reason = messageOf(error);
    context.events({
      type: "warning",
      code: "undo-unproved",
      message: `Everything was given back, but the ingress could not be asked about it: ${reason}`,
      hint: "Ask the model as its clients do.",
    });
    return { state: "skipped", reason };
  }
}
