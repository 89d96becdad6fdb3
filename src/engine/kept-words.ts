import { messageAndHint, messageOf, UserError } from "../core/errors.ts";
import type { Event, EventSink } from "../core/events.ts";
import type { Kept } from "../state/cluster-state.ts";
import type { Look } from "./kept-copy.ts";

type Warning = Extract<Event, { readonly type: "warning" }>;

/** Says from which copy of a state an operation goes on, where that is not the usual. */
export function tellChoice(events: EventSink, where: string, look: Look): void {
  const event = choiceWords(where, look);
  if (event !== undefined) events(event);
}

/** Pure. */
export function choiceWords(
  where: string,
  { stored, choice }: Pick<Look, "stored" | "choice">,
): Event | undefined {
  const { by = "somebody", at = "an unknown time" } = stored?.head ?? {};
  const isHere = choice.from === "local";
  const read = "What is in the cluster is read into it first.";
  const warning = (code: string, message: string): Warning => ({ type: "warning", code, message });
  switch (choice.why) {
    case "usual":
      return undefined;
    case "new":
      return {
        type: "info",
        message: `Pulumi's state and its key are kept beside the model, in the Secret ${where}.`,
      };
    case "killed-here":
      return {
        type: "info",
        message: `An operation on Pulumi's state that ${by} began at ${at} did not come to its end. Nobody worked on it since: the copy on this machine is gone on with.`,
      };
    case "killed-elsewhere":
      return warning(
        "state-taken-over",
        `${by} began an operation on Pulumi's state at ${at}, which was never ended, and this machine has no copy of it: the state before it is gone on with.${choice.refresh ? ` ${read}` : ""}`,
      );
    case "stale":
      return {
        type: "info",
        message: `Pulumi's state does not know yet what an earlier operation did. ${read}`,
      };
    case "rolled-back":
      return warning(
        "state-rolled-back",
        isHere
          ? `Somebody put an older state back into the Secret ${where}: the copy on this machine is newer, and is gone on with. ${read}`
          : `The Secret ${where} with Pulumi's state was not written by modelswitch last: somebody put it back, or changed it. ${read}`,
      );
    case "deleted":
      return warning(
        "state-deleted",
        `The Secret ${where} with Pulumi's state and its key is gone: a new state begins, with a new key.`,
      );
    case "damaged":
      return warning(
        "state-damaged",
        isHere
          ? `The Secrets beside ${where} do not hold the state that it names: the copy on this machine is gone on with. ${read}`
          : `The Secrets beside ${where} do not hold the state that it names, and this machine has no copy: a new state begins.`,
      );
  }
}

/** Says what became of a state, where that is not the usual. */
export function tellKept(events: EventSink, where: string, kept: Kept): void {
  if (kept.kind === "restored")
    events({
      type: "warning",
      code: "state-restored",
      message: `Somebody deleted or replaced the Secret ${where} while it was in use: it is as this command has left it.`,
    });
  if (kept.kind === "taken")
    events({
      type: "warning",
      code: "state-taken",
      message: `${kept.by.by} began an operation on Pulumi's state at ${kept.by.at}, while this one was at work: theirs counts, and what this one did is not in it.`,
      hint: "`modelswitch status` shows who holds the lock; the next `modelswitch up` takes what is in the cluster into the state.",
    });
}

/** Pure. */
export function unsaved(where: string, folder: string, error: unknown): Warning {
  return {
    type: "warning",
    code: "state-unsaved",
    message: `Pulumi's state could not be kept in the Secret ${where}, and is in ${folder} for now: ${error instanceof UserError ? messageAndHint(error) : messageOf(error)}`,
    hint: "The next command of this user on this machine brings it there. Another machine goes on from the state before, and reads the cluster into it.",
  };
}
