import { UserError } from "../../core/errors.ts";
import type { Routing } from "../../core/routing.ts";
import type { RolloutContext } from "../context.ts";
import { asNote, proveUp, type UpProof } from "../prove-up.ts";
import type { RolloutRecord } from "../record.ts";
import { locationOf } from "../subject.ts";

/**
 * Proves that the ingress still answers from the adopted slot. Nothing that clients see was changed, so a server whose answers
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
