import { exitCodes, UserError } from "../../core/errors.ts";
import { isWayBack, needsApproval, type RolloutState } from "../../core/rollout/state.ts";
import { splitOf } from "../../core/routing.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Assume, assumeLastKnown, assumeOnWayBack, observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { requirePermissions, withPermissions } from "../context/permissions.ts";
import type { LeaseObject, PresentLock } from "../lock/lease.ts";
import { leasePath, presentLock } from "../lock/lease.ts";
import { modelLocked, refuseClosed, withLockOrAsk } from "../lock/lock.ts";
import { isLive, requireInProgress } from "../record/in-progress.ts";
import { Journal } from "../record/journal.ts";
import type { RolloutRecordEntry, RolloutRequest } from "../record/rollouts.ts";
import { type ExecuteOptions, execute } from "../release/execute.ts";
import { hearRequests } from "../release/heard-requests.ts";
import { askOf } from "../release/left-requests.ts";
import type { RolloutEnd } from "../release/rollout-end.ts";

/** What became of a request. */
export type Controlled =
  /** Another command works on the rollout, and has heard it. */
  | { readonly kind: "heard"; readonly by: string; readonly state: RolloutState }
  /** Nobody worked on it: it was done here. */
  | { readonly kind: "done"; readonly end: RolloutEnd };

const pollMs = 250;

/**
 * Asks for something of a rollout: of the command that works on it, or, where none does, by doing it. A pause is only noted.
 * @throws UserError `rollout-missing`, `nothing-to-approve`, `nothing-to-pause`, `abort-too-late`, `request-unheard`,
 *   `way-back-closed`
 */
export async function control(
  context: RolloutContext,
  asked: readonly [RolloutRequest["kind"], ...RolloutRequest["kind"][]],
  options: ExecuteOptions = {},
): Promise<Controlled> {
  const [kind] = asked;
  const { record } = await withPermissions(context, ["switch"], () =>
    observeDeployed(context, assumedBy(kind)),
  );
  refuseOtherEnvironment(context, record);
  const before = requireInProgress(context, record);
  const { plan, state } = before;
  if (kind === "approve" && !needsApproval(plan, state)) throw nothingToApprove(context, state);
  if (kind === "pause" && (before.kind === "switch" || !canPause(state)))
    throw nothingToPause(context, state);
  if (kind === "abort" && isLive(state)) throw abortTooLate(context, state);
  // On a way back nothing is asked before clients are there.
  const isBack = kind === "abort" || isWayBack(plan, state);
  if (kind !== "pause" && !isBack) await requirePermissions(context, ["up", "engine"]);
  await askOf(context, asked);
  // A question for a passphrase belongs before the lock.
  if (kind !== "pause" && !isBack) await context.prepareSecrets();
  const deadline = context.clock.now() + context.config.deadlines.readyMs;
  for (;;) {
    const end = await withLockOrAsk(context.lockOptions(kind), "look", async (lock): Promise<RolloutEnd> => {
      const over = await switchOver(context, kind, before);
      if (over !== undefined) return { kind: "finished", state: over, failure: undefined };
      if (kind !== "pause") return await execute(context, lock, options);
      const heard = await hearRequests(context, new Journal(context.clock));
      return { kind: "paused", state: requireInProgress(context, heard).state };
    });
    if (end.kind === "held") return { kind: "done", end: end.result };
    if (isBack) refuseClosed(context.config.name, end.lock);
    const heard = await untilHeard(context, kind, end.lock, deadline);
    if (heard !== undefined) return heard;
  }
}

/** What is taken back is so wherever clients are sent. */
function assumedBy(kind: RolloutRequest["kind"]): Assume {
  return kind === "abort" ? assumeLastKnown : assumeOnWayBack;
}

/**
 * A step that has begun is finished first, and has its deadline. `undefined`: the command that had the lock has left it, and what was asked
 * is still to be done.
 */
async function untilHeard(
  context: RolloutContext,
  kind: RolloutRequest["kind"],
  held: PresentLock,
  deadline: number,
): Promise<Controlled | undefined> {
  const { clock, config, api, signal, store } = context;
  const about = context.lockOptions(kind);
  const locked = modelLocked(config.name, held);
  while (clock.now() < deadline) {
    const entry = (await store.read())?.rollout;
    const isTooLate = kind === "abort" && entry !== undefined && isLive(entry.state);
    if (isTooLate && entry.requests.length === 0) throw abortTooLate(context, entry.state);
    if (entry !== undefined && entry.requests.length === 0) {
      return { kind: "heard", by: locked.message, state: entry.state };
    }
    const lock = presentLock(await api.find<LeaseObject>(leasePath(about)), about);
    if (lock?.holder?.token !== held.holder?.token) return undefined;
    await clock.sleep(pollMs, signal);
  }
  throw new UserError({
    code: "request-unheard",
    message: `The command that works on the rollout has not heard \`${kind}\` yet: ${locked.message}`,
    hint: "It hears it before its next step. If that command is gone, run this again.",
    exitCode: exitCodes.locked,
  });
}

/**
 * How a switch has ended meanwhile: nothing of it is left in the record but a line of the history where it moved the traffic. `undefined`:
 * it has not ended, or is no switch.
 * @throws UserError `abort-too-late` where it was to be taken back and had ended before it heard that
 */
async function switchOver(
  context: RolloutContext,
  asked: RolloutRequest["kind"],
  { kind, number, state }: RolloutRecordEntry,
): Promise<RolloutState | undefined> {
  if (kind !== "switch") return undefined;
  const record = await context.store.read();
  if (record?.rollout?.number === number && record.rollout.state.phase !== "done") return undefined;
  const { routing } = await observeDeployed(context, assumedBy(asked));
  const isMade = splitOf(routing)[state.target] === 100;
  if (!isMade || asked !== "abort") {
    return { ...state, phase: "done", outcome: isMade ? "released" : "aborted" };
  }
  throw new UserError({
    code: "abort-too-late",
    message: `The switch of ${context.config.name} to ${state.target} had ended before it heard that it should be taken back.`,
    hint: `\`modelswitch switch ${state.from}\` sends the traffic back.`,
    exitCode: exitCodes.usage,
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
