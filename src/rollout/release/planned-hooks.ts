import type { Hook } from "../../core/calls.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { PlannedHook } from "../../core/rollout/state.ts";
import { longestHoldMs } from "../../gates/reduce.ts";
import { requireRolloutCalls } from "../context/call-io.ts";
import { callSubject } from "../context/call-subject.ts";
import type { RolloutContext } from "../context/context.ts";
import { reachOf } from "../ingress/reach-slot.ts";
import { rolloutOf } from "../record/in-progress.ts";
import { sayVerdict } from "../record/journal.ts";
import type { Acting } from "./step-context.ts";

/** How long a hook that has not made up its mind is left alone before it is asked again, milliseconds. */
const holdMs = 5_000;

/**
 * Runs a hook of the rollout's plan; what it is stands in the configuration.
 * `hold`: it has not made up its mind; it is asked again after the next look.
 * @throws UserError `hook-failed` (exit code 3) where it does not pass and the rollout is to go back then; `hook-unknown`, `call-impossible`
 */
export async function runPlannedHook(acting: Acting, planned: PlannedHook): Promise<"done" | "hold"> {
  const { context, record, routing, journal } = acting;
  const hook = configured(context, planned);
  const { when, phase, name } = hook;
  const canGoBack = phase !== "drain" && phase !== "scale-down";
  // What is missing where this command runs is no reason to take the release back: another machine may have it.
  if (canGoBack) await requireRolloutCalls(context, { skipGates: true });
  const { observation } = acting;
  const reach = await reachOf(context, { record, observation, routing }, context.signal);
  const subject = { ...callSubject(context, record, rolloutOf(context, record), routing), reach };
  const verdict = await step(
    context.events,
    { id: `hook-${when}-${phase}-${name}`, title: `Hook ${name}, ${when} ${phase}` },
    () => context.runHook(hook, subject, context.signal),
    ({ verdict: said, evidence }) => [said, evidence].filter((text) => text !== "").join(": "),
  );
  sayVerdict(context, journal, { from: "hook", name, phase, ...verdict });
  if (verdict.verdict === "pass") return "done";
  if (verdict.verdict === "hold" && context.clock.now() - acting.state.since < longestHoldMs) {
    await context.clock.sleep(holdMs, context.signal);
    return "hold";
  }
  // Nothing can go back any more once the old slot is drained.
  if (hook.onFailure === "continue" || !canGoBack) {
    context.events({
      type: "warning",
      code: "hook-not-passed",
      message: `The hook ${name} (${when} ${phase}) did not pass, and the rollout goes on: ${verdict.evidence}`,
    });
    return "done";
  }
  throw new UserError({
    code: "hook-failed",
    message: `The hook ${name} (${when} ${phase}) did not pass: ${verdict.evidence}`,
    hint: "Mend what it complains about, or let the rollout go on without it (onFailure: continue).",
    exitCode: exitCodes.gateRefused,
    details: { hook: name, when, phase, verdict: verdict.verdict },
  });
}

function configured({ config }: RolloutContext, planned: PlannedHook): Hook {
  const found = config.rollout.hooks.find(
    ({ name, when, phase }) => name === planned.name && when === planned.when && phase === planned.phase,
  );
  if (found !== undefined) return found;
  throw new UserError({
    code: "hook-unknown",
    message: `The rollout was begun with the hook ${planned.name} (${planned.when} ${planned.phase}), which ${config.file} does not have.`,
    hint: "Go on with the configuration file that it was begun with, or take it back: `modelswitch abort`.",
    exitCode: exitCodes.usage,
  });
}
