import type { EventSink } from "../core/events.ts";
import { withTheirManagers } from "./field-managers.ts";
import type { StackCli } from "./stack-cli.ts";
import { adoptPending, parseState } from "./state-file.ts";

/**
 * Puts in order the operations that a killed run began and whose end was never written. Kubernetes objects that it may have
 * created are put into the state; then those and all that were being changed are read from the cluster: what is there is
 * adopted as it is, what is not there leaves the state. The next update does the rest.
 */
export async function settlePending(cli: StackCli, events: EventSink): Promise<void> {
  const exported = await cli.exportState();
  const { pending } = parseState(exported);
  if (pending.length === 0) return;
  const { state, unsure } = adoptPending(exported);
  await cli.importState(state);
  if (unsure.length > 0) {
    await cli.refreshOnly(unsure);
    const corrected = withTheirManagers(await cli.exportState(), unsure);
    if (corrected !== undefined) await cli.importState(corrected);
  }
  const count = pending.length === 1 ? "one operation" : `${pending.length} operations`;
  events({
    type: "info",
    message: `The last run was stopped in the middle of ${count}. What it did is read from the cluster; the rest is done now.`,
  });
}
