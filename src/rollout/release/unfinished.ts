import { UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import { liveSlot } from "../../core/routing.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import { modelSpec } from "../plan/desired.ts";
import { withLive } from "../record/ever-live.ts";
import { inProgress } from "../record/in-progress.ts";
import { whileWatching } from "../traffic/slot-wait.ts";

/** Whether a command wrote down what it was about to apply, and did not say that it finished. */
export function isUnfinished({ record }: Pick<Deployed, "record">): boolean {
  return record.applying && inProgress(record) === undefined;
}

/**
 * Finishes what a stopped `up` left, as it was recorded, before a command builds on it. Traffic stays where it is.
 * @throws UserError `up-unfinished` where it cannot be finished as it is
 */
export async function finished(context: RolloutContext, deployed: Deployed): Promise<Deployed> {
  if (!isUnfinished(deployed)) return deployed;
  const { record, routing, location } = deployed;
  const { events, namespace, config } = context;
  const live = liveSlot(routing);
  try {
    await step(events, { id: "finish-up", title: "Finish what a stopped command left" }, () =>
      whileWatching(context, location, [live], async (signal, sink) => {
        const stack = await context.openStack(signal, sink);
        await stack.up({ spec: modelSpec(record, namespace), routing });
      }),
    );
  } catch (error) {
    if (!(error instanceof UserError) || context.signal.aborted) throw error;
    throw new UserError({
      code: "up-unfinished",
      message: `An \`up\` of ${config.name} was stopped half-way, and what it began cannot be finished as it is: ${error.message}`,
      hint: "`modelswitch up` makes the model what the configuration says now.",
      cause: error,
    });
  }
  const now = new Date(context.clock.now()).toISOString();
  await context.store.update(
    (present) => present && withLive({ ...present, applying: false }, (slot) => slot === live, now),
  );
  return await observeDeployed(context);
}
