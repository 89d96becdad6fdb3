import { exitCodes, UserError } from "../../core/errors.ts";
import { otherSlot } from "../../core/slots.ts";
import type { ResourceChange } from "../../engine/stack.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Drift } from "../program/drift.ts";
import type { HandChange } from "../program/hand-changes.ts";
import { describeHandChange, ofWhatServes } from "../program/hand-changes.ts";
import type { PreparedUp } from "./prepare-up.ts";

/** What of the changes by hand an `up` would undo: those of objects that Pulumi would write, or read into its state first. Pure. */
export function undoneBy(
  changes: readonly HandChange[],
  drift: Drift,
  planned: readonly ResourceChange[],
): HandChange[] {
  const isMissing = ({ kind, name }: HandChange) =>
    drift === "everything" || drift.some((one) => one.kind === kind && one.name === name);
  const isWritten = ({ kind, name }: HandChange) =>
    planned.some((one) => one.kind === kind && one.name === name);
  return changes.filter((change) => isMissing(change) || isWritten(change));
}

/**
 * A change by hand of what clients are served by was meant by somebody: it is not put back by the way. `planned` is asked only where there is
 * such a change.
 * @throws UserError `live-change-refused`
 */
export async function refuseUndoing(
  context: RolloutContext,
  { handChanges, plan }: PreparedUp,
  drift: Drift,
  planned: () => Promise<readonly ResourceChange[]>,
): Promise<void> {
  const serving = ofWhatServes(handChanges, plan.routing);
  if (serving.length === 0) return;
  const undone = undoneBy(serving, drift, drift === "everything" ? [] : await planned());
  const [first] = undone;
  if (first === undefined) return;
  const { slot } = first;
  const what =
    slot === undefined
      ? `The routing of ${context.config.name} was changed by hand, and \`up\` would put back what is declared:`
      : `${slot}, which carries the traffic of ${context.config.name}, was changed by hand, and \`up\` would put back what its release says:`;
  throw new UserError({
    code: "live-change-refused",
    message: [what, ...undone.map((one) => `  ${one.kind} ${one.name}: ${describeHandChange(one)}`)].join(
      "\n",
    ),
    hint:
      slot === undefined
        ? "Say it in the configuration, or pass --allow-live-change to put it back."
        : `Release what was changed into ${otherSlot(slot)} (\`modelswitch release --set …\`), or pass --allow-live-change to put it back.`,
    exitCode: exitCodes.usage,
    details: { ...(slot === undefined ? {} : { slot }), changes: undone },
  });
}
