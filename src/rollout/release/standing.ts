import { exitCodes, interrupted, isInterrupted, messageOf, UserError } from "../../core/errors.ts";
import type { RolloutKind, RolloutPlan, RolloutState } from "../../core/rollout/state.ts";
import type { Routing } from "../../core/routing.ts";
import { describeTraffic } from "../../core/routing.ts";
import type { RolloutContext } from "../context/context.ts";

/** Where a rollout stands, as far as this command knows. */
export interface Standing {
  kind?: RolloutKind;
  at?: { readonly routing: Routing; readonly state: RolloutState };
}

const beforeTraffic: readonly RolloutState["phase"][] = ["deploy", "warm-up", "verify"];

/** The error that makes a rollout go back; `undefined` where going back would not help, or is not ours to decide. */
export function abortReason(
  error: unknown,
  plan: RolloutPlan,
  state: RolloutState,
  isFollowing: boolean,
): UserError | undefined {
  if (!(error instanceof UserError) || state.direction === "back") return undefined;
  // Nothing is worse than what a way back leaves: it is never taken back once it moves traffic.
  if (plan.escapes === true && !beforeTraffic.includes(state.phase)) return undefined;
  if (error.exitCode === exitCodes.locked || error.exitCode === exitCodes.interrupted) return undefined;
  // Traffic is where it should be, and proved: only Pulumi's state is behind.
  if (isFollowing) return undefined;
  // What the traffic came from can serve nobody.
  if (error.code === "proof-failed" && error.details?.undone === false) return undefined;
  // Once it is live and watched, going back is a rollback, which somebody has to want.
  if (state.phase === "drain" || state.phase === "scale-down") return undefined;
  // Traffic that somebody else moved is theirs; what could not be undone needs a person.
  return [
    "rollout-blocked",
    "hook-unknown",
    "call-impossible",
    "routing-changed",
    "routing-unreadable",
    "undo-failed",
    "lock-lost",
  ].includes(error.code)
    ? undefined
    : error;
}

/** Going on would break a rule. */
export function blocked(context: RolloutContext, reason: string, state: RolloutState): UserError {
  return new UserError({
    code: "rollout-blocked",
    message: `The rollout of release ${state.release} of ${context.config.name} cannot go on: ${reason}.`,
    hint: "Look at `modelswitch status`. Put right what is wrong and run `modelswitch resume`, or `modelswitch abort`.",
    details: { phase: state.phase, direction: state.direction },
  });
}

/** Traffic is where the rollout has brought it, proved; Pulumi's state is behind. */
export function stateBehind(context: RolloutContext, error: unknown, routing: Routing): unknown {
  if (isInterrupted(error) || (error instanceof UserError && error.code === "lock-lost")) return error;
  return new UserError({
    code: "state-behind",
    message: `Traffic of ${context.config.name} is on ${describeTraffic(routing)}, proved, and stays there; Pulumi's state does not have it yet: ${messageOf(error)}`,
    hint: [
      "`modelswitch resume` finishes it, from any machine.",
      ...(error instanceof UserError && error.hint !== undefined ? [error.hint] : []),
    ].join(" "),
    exitCode: exitCodes.held,
    details: { cause: error instanceof UserError ? error.code : "unexpected" },
    cause: error,
  });
}

/** Somebody leads the traffic back while Pulumi's state is brought up to it. */
export function madeWay({ config }: RolloutContext): UserError {
  return new UserError({
    code: "made-way",
    message: `somebody asked for ${config.name}, and Pulumi was stopped for that.`,
    exitCode: exitCodes.locked,
  });
}

/** A gate has failed. */
export function refused(
  context: RolloutContext,
  reason: string,
  { release, phase }: RolloutState,
): UserError {
  return new UserError({
    code: "gate-refused",
    message: `A gate refuses release ${release} of ${context.config.name} in the phase ${phase}: ${reason}`,
    hint: "Mend the release and run `modelswitch release` again. `modelswitch report` has the evidence.",
    exitCode: exitCodes.gateRefused,
    details: { phase, reason },
  });
}

/** The user stopped the command, wherever it was. */
export function stopped({ at, kind }: Standing): UserError {
  if (kind === "switch") {
    return interrupted(
      "The switch",
      `Traffic is ${at === undefined ? "where it was" : `on ${describeTraffic(at.routing)}`}. \`modelswitch resume\` finishes it, \`modelswitch abort\` takes it back.`,
    );
  }
  const where =
    at === undefined
      ? "Traffic is where it was"
      : `Traffic is on ${describeTraffic(at.routing)}, in the phase ${at.state.phase}`;
  return interrupted(
    "The rollout",
    `${where}. \`modelswitch resume\` goes on from here, \`modelswitch abort\` takes it back.`,
  );
}
