import type { RolloutContext } from "../context/context.ts";
import { findHandChanges, handChangeNotes } from "../program/find-hand-changes.ts";
import type { HandChange } from "../program/hand-changes.ts";
import type { RolloutRecord } from "../record/record.ts";
import { modelSpec } from "./desired.ts";

/** Says what was changed by hand before something is built on it. Whatever goes wrong with that, it is only not said. */
export async function sayHandChanges(
  context: RolloutContext,
  record: RolloutRecord,
): Promise<readonly HandChange[]> {
  try {
    const changes = await findHandChanges(context, modelSpec(record, context.namespace));
    for (const note of handChangeNotes(record, changes)) context.events({ type: "warning", ...note });
    return changes;
  } catch {
    return [];
  }
}
