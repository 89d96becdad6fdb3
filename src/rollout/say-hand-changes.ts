import type { RolloutContext } from "./context.ts";
import { modelSpec } from "./desired.ts";
import { findHandChanges, handChangeNotes } from "./find-hand-changes.ts";
import type { HandChange } from "./hand-changes.ts";
import type { RolloutRecord } from "./record.ts";

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
