import type { GateVerdict } from "../../core/calls.ts";
import type { Phase } from "../../core/rollout/state.ts";
import type { RolloutContext } from "../context.ts";
import type { Journal } from "./journal.ts";

/** Tells everybody what a gate or a hook says, and keeps it for the report. */
export function sayVerdict(
  { events }: Pick<RolloutContext, "events">,
  journal: Journal,
  said: GateVerdict & { readonly from: "gate" | "hook"; readonly name: string; readonly phase: Phase },
): void {
  const { from, name, phase, verdict, evidence } = said;
  const what = from === "gate" ? "Gate" : "Hook";
  events({
    type: "verdict",
    from,
    name,
    phase,
    verdict,
    evidence,
    message: `${what} ${name}: ${verdict}${evidence === "" ? "" : ` (${evidence})`}`,
  });
  journal.note({
    kind: from,
    text: `${name}, ${phase}`,
    ...(verdict === "hold" ? {} : { result: verdict }),
    evidence,
  });
}
