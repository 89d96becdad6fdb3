import { exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import type { HeldBy } from "../../core/rollout/world.ts";
import type { Controlled } from "../../rollout/commands/steer.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { RolloutEnd } from "../../rollout/release/rollout-end.ts";
import { describeHeld, heldHint } from "../../rollout/release/rollout-end.ts";
import type { CommandResult } from "../command.ts";

/**
 * How a command that worked on a rollout ends.
 * `began`: it is the command that began the rollout.
 * @throws UserError `release-failed` where the rollout went back by itself, or somebody aborted what this command began
 */
export function rolloutResult(
  rollout: RolloutContext,
  end: RolloutEnd,
  options: { readonly began?: boolean } = {},
): CommandResult {
  const { config, namespace, kubernetesContext } = rollout;
  const { state } = end;
  const data = {
    model: config.name,
    namespace,
    context: kubernetesContext,
    ended: end.kind,
    release: state.release,
    target: state.target,
    phase: state.phase,
    outcome: state.outcome ?? null,
    reason: state.reason ?? null,
    held: end.kind === "held" ? heldDocument(end.by) : null,
    warmUntil: end.kind === "live" ? new Date(end.until).toISOString() : null,
  };
  switch (end.kind) {
    case "live":
      return {
        data,
        text: [
          `Release ${state.release} is live in ${state.target}.`,
          `${state.from} stays as it is until ${new Date(end.until).toISOString()}: \`modelswitch rollback\` goes back to it in one step.`,
          "After that `modelswitch reconcile` scales it down (or the next release does).",
        ],
      };
    case "paused":
      return {
        exitCode: exitCodes.held,
        data,
        text: [
          `Release ${state.release} is paused in the phase ${state.phase}.`,
          "`modelswitch resume` goes on, `modelswitch promote` takes it live, `modelswitch abort` takes it back.",
        ],
      };
    case "held":
      return {
        exitCode: exitCodes.held,
        data,
        text: [
          `Release ${state.release} waits in the phase ${state.phase}: ${describeHeld(end.by)}.`,
          heldHint(end.by, state),
        ],
      };
    case "finished":
      if (end.failure !== undefined) throw failed(config.name, end.failure, data);
      // That somebody wanted it back is no failure of a command that only brings that to its end.
      if (state.outcome !== "released" && (options.began === true || state.cause !== undefined)) {
        throw takenBack(config.name, state, data);
      }
      return {
        data,
        text: [
          state.outcome === "released"
            ? `Release ${state.release} is live in ${state.target}.`
            : `Traffic is on ${state.from}; release ${state.release} was taken back: ${state.reason ?? "as asked"}.`,
        ],
      };
  }
}

/** Another command works on the rollout, and has heard what it is asked for. */
export function heardResult(
  { config }: RolloutContext,
  { state }: Extract<Controlled, { kind: "heard" }>,
): CommandResult {
  return {
    data: { model: config.name, ended: "heard", release: state.release, phase: state.phase },
    text: [`The command that works on release ${state.release} has heard it (phase ${state.phase}).`],
  };
}

function heldDocument(by: HeldBy): Readonly<Record<string, unknown>> {
  if (by.kind !== "window") return { ...by };
  return { ...by, opensAt: by.opensAt === undefined ? null : new Date(by.opensAt).toISOString() };
}

/** It was taken back by somebody, or what made it go back happened to an earlier command. */
function takenBack(
  model: string,
  { release, reason, cause }: RolloutState,
  data: Readonly<Record<string, unknown>>,
): UserError {
  const byGate = cause === "gate-refused" || cause === "hook-failed";
  return new UserError({
    code: "release-failed",
    message: `Release ${release} of ${model} was taken back, traffic is where it was: ${reason ?? "as asked"}`,
    hint: "`modelswitch report` has the evidence.",
    exitCode: byGate ? exitCodes.gateRefused : exitCodes.failed,
    details: { ...data, ...(cause === undefined ? {} : { cause }) },
  });
}

function failed(model: string, cause: UserError, data: Readonly<Record<string, unknown>>): UserError {
  return new UserError({
    code: "release-failed",
    message: `Release ${String(data.release)} of ${model} was taken back, traffic is where it was: ${cause.message}`,
    ...(cause.hint === undefined ? {} : { hint: releasedAgain(cause.hint) }),
    exitCode: cause.exitCode === exitCodes.gateRefused ? exitCodes.gateRefused : exitCodes.failed,
    details: { ...data, cause: cause.code, ...cause.details },
    cause,
  });
}

/** What is wrong with pods is mostly met, and so worded, where `up` makes them; what was taken back comes again by another release. */
function releasedAgain(hint: string): string {
  return hint
    .replaceAll("run `modelswitch up`", "run `modelswitch release` again")
    .replaceAll("run the command again", "run `modelswitch release` again");
}
