import { exitCodes, UserError } from "../../core/errors.ts";
import { isWayBack, needsApproval, type RolloutState } from "../../core/rollout/state.ts";
import type { RolloutContext } from "../context.ts";
import { refuseOtherEnvironment } from "../environment.ts";
import { modelLocked, withLockOrAsk } from "../lock.ts";
import { requirePermissions, withPermissions } from "../permissions.ts";
import type { RolloutRequest } from "../record-rollouts.ts";
import { observeDeployed } from "../subject.ts";
import { isLive, requireInProgress } from "./entry.ts";
import { type ExecuteOptions, execute, type RolloutEnd } from "./execute.ts";
import { hearRequests } from "./hear.ts";
import { Journal } from "./journal.ts";
import { askOf } from "./requests.ts";

/** What became of a request. */
export type Controlled =
  /** Another command works on the rollout, and has heard it. */
  | { readonly kind: "heard"; readonly by: string; readonly state: RolloutState }
  /** Nobody worked on it: it was done here. */
  | { readonly kind: "done"; readonly end: RolloutEnd };

const pollMs = 250;

/**
 * Asks for something of a rollout: of the command that works on it, or, where none does, by doing it. A pause is only noted.
 * @throws UserError `rollout-missing`, `nothing-to-approve`, `nothing-to-pause`, `abort-too-late`, `request-unheard`
 */
export async function control(
  context: RolloutContext,
  asked: readonly [RolloutRequest["kind"], ...RolloutRequest["kind"][]],
  options: ExecuteOptions = {},
): Promise<Controlled> {
  const [kind] = asked;
  const { record } = await withPermissions(context, ["switch"], () => observeDeployed(context));
  refuseOtherEnvironment(context, record);
  const { plan, state } = requireInProgress(context, record);
  if (kind === "approve" && !needsApproval(plan, state)) throw nothingToApprove(context, state);
  if (kind === "pause" && !canPause(state)) throw nothingToPause(context, state);
  if (kind === "abort" && isLive(state)) throw abortTooLate(context, state);
  // On a way back nothing is asked before clients are there.
  const asksNothing = kind === "pause" || kind === "abort" || isWayBack(plan, state);
  if (!asksNothing) await requirePermissions(context, ["up", "engine"]);
  await askOf(context, asked);
  // A question for a passphrase belongs before the lock.
  if (!asksNothing) await context.prepareSecrets();
  const end = await withLockOrAsk(context.lockOptions(kind), "look", async (lock): Promise<RolloutEnd> => {
    if (kind !== "pause") return await execute(context, lock, options);
    const heard = await hearRequests(context, new Journal(context.clock));
    return { kind: "paused", state: requireInProgress(context, heard).state };
  });
  if (end.kind === "held") return { kind: "done", end: end.result };
  return await untilHeard(context, kind, modelLocked(context.config.name, end.lock));
}

/** A step that has begun is finished first, and has its deadline. */
async function untilHeard(
  context: RolloutContext,
  kind: RolloutRequest["kind"],
  locked: UserError,
): Promise<Controlled> {
  const deadline = context.clock.now() + context.config.deadlines.readyMs;
  while (context.clock.now() < deadline) {
    const entry = (await context.store.read())?.rollout;
    if (entry !== undefined && entry.requests.length === 0) {
      return { kind: "heard", by: locked.message, state: entry.state };
    }
    await context.clock.sleep(pollMs, context.signal);
  }
  throw new UserError({
    code: "request-unheard",
    message: `The command that works on the rollout has not heard \`${kind}\` yet: ${locked.message}`,
    hint: "It hears it before its next step. If that command is gone, run this again.",
    exitCode: exitCodes.locked,
  });
}

function nothingToApprove(context: RolloutContext, { release, phase }: RolloutState): UserError {
  return new UserError({
    code: "nothing-to-approve",
    message: `Release ${release} of ${context.config.name} waits for no approval: it is in the phase ${phase}.`,
    hint: "`modelswitch status` shows what it waits for; `modelswitch promote` skips steps and waiting times.",
    exitCode: exitCodes.usage,
  });
}

/** What goes back, and what is live, is not held any more. */
function canPause({ direction, phase }: RolloutState): boolean {
  return direction === "forward" && phase !== "drain" && phase !== "scale-down";
}

function nothingToPause(context: RolloutContext, { release, phase, direction }: RolloutState): UserError {
  const how = direction === "back" ? "goes back" : `is live (phase ${phase})`;
  return new UserError({
    code: "nothing-to-pause",
    message: `Release ${release} of ${context.config.name} ${how}: nothing of it can be held.`,
    hint: "`modelswitch status` shows the rollout.",
    exitCode: exitCodes.usage,
  });
}

function abortTooLate(context: RolloutContext, { release }: RolloutState): UserError {
  return new UserError({
    code: "abort-too-late",
    message: `Release ${release} of ${context.config.name} is live, and the old slot is drained: there is nothing to abort.`,
    hint: "`modelswitch rollback` goes back to the release before.",
    exitCode: exitCodes.usage,
  });
}
