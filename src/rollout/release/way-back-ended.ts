import { exitCodes, interrupted, isInterrupted, messageOf, UserError } from "../../core/errors.ts";
import { headline } from "../../core/headline.ts";
import { goalOf, isWayBack, type RolloutState } from "../../core/rollout/state.ts";
import { describeTraffic, splitOf, type TrafficSplit } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { observeRouting } from "../observe/observe.ts";
import { inProgress, recordEvents } from "../record/in-progress.ts";
import type { Journal } from "../record/journal.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";

/**
 * What the end of a way back by an error means. Clients that are back stay there, and what is left is finished by the next command; a way
 * back that moved nothing is over. The lock must be held. Never throws: where nothing can be seen, the error stands as it is.
 */
export async function wayBackEnded(
  context: RolloutContext,
  error: unknown,
  journal: Journal,
): Promise<unknown> {
  // What could not be proved is not done: the error says what was declared, and what was seen.
  const isUnproved = error instanceof UserError && error.code === "proof-failed";
  if (isUnproved) return error;
  try {
    const record = await context.store.read();
    const entry = inProgress(record);
    if (isInterrupted(error))
      return entry === undefined ? error : await interruptedAt(context, entry, error, journal);
    if (entry === undefined || !isWayBack(entry.plan, entry.state)) return error;
    const { routing } = await observeRouting({ ...locationOf(context, record), signal: unstoppable });
    if (routing === undefined) return error;
    const split = splitOf(routing);
    const goal = goalOf(entry.state);
    if (split[goal] > 0) return unfinished(context, entry, error, { split, goal });
    const reason = headline(messageOf(error));
    const cause = error instanceof UserError ? error.code : "unexpected";
    if (entry.plan.escapes === true)
      await recordEvents(context, [{ kind: "give-up", reason, cause }], journal);
    return error;
  } catch {
    return error;
  }
}

/** A switch that was stopped before it moved anything leaves nothing behind. */
async function interruptedAt(
  context: RolloutContext,
  { plan, state }: RolloutRecordEntry,
  error: unknown,
  journal: Journal,
): Promise<unknown> {
  if (plan.cutOverOnly !== true || plan.escapes === true || state.exposed) return error;
  const record = await context.store.read();
  // A slot that was being made ready is no nothing.
  if (record === undefined || record.applying) return error;
  const { routing } = await observeRouting({ ...locationOf(context, record), signal: unstoppable });
  if (routing === undefined || splitOf(routing)[state.target] > 0) return error;
  await recordEvents(context, [{ kind: "give-up", reason: "stopped", cause: "interrupted" }], journal);
  return interrupted("The switch", `Nothing was changed: traffic is on ${describeTraffic(routing)}.`);
}

function unfinished(
  context: RolloutContext,
  { kind, state }: RolloutRecordEntry,
  error: unknown,
  { split, goal }: { readonly split: TrafficSplit; readonly goal: Slot },
): UserError {
  const what = kind === "release" ? `release ${state.release} was taken back` : `the ${kind} was made`;
  const left =
    split[goal] === 100 ? leftOf(state, otherSlot(goal)) : [`move the rest of the traffic to ${goal}`];
  const where =
    split[goal] === 100
      ? `All traffic of ${context.config.name} ${state.phase === "cut-over" ? "is sent to" : "is on"} ${goal}: ${what}, and stays so.`
      : `${split[goal]} % of the traffic of ${context.config.name} is on ${goal}, and stays there.`;
  return new UserError({
    code: "rollback-unfinished",
    message: `${where} Left to do: ${left.join("; ")}. It stopped at this: ${messageOf(error)}`,
    hint: [
      "`modelswitch resume` finishes it, from any machine.",
      ...(error instanceof UserError && error.hint !== undefined ? [error.hint] : []),
    ].join(" "),
    exitCode: exitCodes.held,
    details: {
      traffic: split,
      phase: state.phase,
      left,
      cause: error instanceof UserError ? error.code : "unexpected",
    },
    cause: error,
  });
}

/** What a way back has to do after clients are back, from its phase on. */
function leftOf({ phase }: RolloutState, loser: Slot): string[] {
  const all = [
    ["cut-over", "settle the routing objects and prove them"],
    ["drain", `drain ${loser}`],
    ["scale-down", `bring Pulumi's state up to date, and scale ${loser} down`],
  ] as const;
  const from = all.findIndex(([name]) => name === phase);
  return all.slice(Math.max(0, from)).map(([, text]) => text);
}
