import { exitCodes, interrupted, isInterrupted, UserError } from "../../core/errors.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import { vacatedFor } from "../capacity/capacity.ts";
import type { Admission } from "../capacity/dry-run.ts";
import { requireAdmitted } from "../capacity/require-admitted.ts";
import { requireCapacity } from "../capacity/require-capacity.ts";
import { refuseUnfinished } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { assumeLastKnown, type Deployed, observeDeployed, requireReadable } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withPermissions } from "../context/permissions.ts";
import { inTurn, withLock, withLockInTurn } from "../lock/lock.ts";
import { modelSpec } from "../plan/desired.ts";
import { pendingSwitch } from "../plan/pending-switch.ts";
import { requireStack } from "../plan/require-stack.ts";
import { sayHandChanges } from "../plan/say-hand-changes.ts";
import { sayUnapplied } from "../plan/unapplied.ts";
import { type Start, withRollout } from "./begin-rollout.ts";
import { type ExecuteOptions, execute } from "./execute.ts";
import { describeGivenUp, warmSlotGivenUp } from "./given-up.ts";
import { refuseOtherRollout } from "./other-rollout.ts";
import { warnOfKeptPods } from "./pods-kept.ts";
import type { RolloutEnd } from "./rollout-end.ts";
import { finished } from "./unfinished.ts";
import { wayAsked } from "./way-asked.ts";

export interface StartedOptions extends ExecuteOptions {
  /** Asks whether a mode is wanted that serves nobody for a while; throws where it is not. */
  readonly agree?: ((mode: ReleaseMode) => Promise<void>) | undefined;
}

/** Decides what a rollout is to do, before the lock and again with it, records it, and takes it to its end. */
export async function started(
  context: RolloutContext,
  command: string,
  decide: (deployed: Deployed) => Promise<Start>,
  { agree, ...options }: StartedOptions,
): Promise<RolloutEnd> {
  const check = async (deployed: Deployed) => {
    refuseUnfinished(deployed.record);
    refuseOtherEnvironment(context, deployed.record);
    await refuseOtherRollout(context, deployed.record);
    const start = await decide(deployed);
    // A way back begins from whatever the routing is.
    if (!beginsBack(start)) {
      requireReadable(context, deployed);
      refusePendingSwitch(context, deployed);
    }
    return start;
  };
  const assume = command === "rollback" ? assumeLastKnown : undefined;
  let isBegun = false;
  try {
    // Everything that can be refused is refused before anything is asked or written.
    // A way back asks beforehand for what moves traffic, and for nothing that comes after.
    const needed = command === "rollback" ? (["switch"] as const) : (["up", "switch", "engine"] as const);
    const seen = await withPermissions(context, needed, () => observeDeployed(context, assume));
    const start = await check(seen);
    const admission = await requireRoom(context, seen, start);
    warnOfGivenUp(context, seen, start);
    if (command === "release") sayUnapplied(context, seen.record, command);
    warnOfKeptPods(context, seen, start, admission);
    const isWayBack = beginsBack(start);
    // Nobody waits for what is only told.
    const said = sayHandChanges(context, seen.record);
    if (isWayBack) said.catch(() => undefined);
    else await said;
    await agree?.(start.plan.mode);
    // Where traffic goes first, nothing is asked before it is there.
    if (start.phase === "deploy") await context.prepareSecrets();
    if (!isWayBack) await requireStack(context, seen.observation, declaredBy(context, seen, start));
    const locked: typeof withLock = isWayBack
      ? (of, work) => withLockInTurn(of, inTurn(context), work)
      : withLock;
    return await locked(context.lockOptions(command), async (lock) => {
      const stopYielding = isWayBack ? () => {} : lock.yieldTo(wayAsked(context));
      const deployed = await observeDeployed(context, assume);
      const start = await check(isWayBack ? deployed : await finished(context, deployed));
      isBegun = true;
      // From here on it is a rollout, which hears an abort itself.
      stopYielding();
      lock.signal.throwIfAborted();
      await context.store.update((record) => record && withRollout(context, record, start));
      return await execute(context, lock, { ...options, isNew: true });
    });
  } catch (error) {
    throw isInterrupted(error) && !isBegun ? interrupted(`The ${command}`, "Nothing was changed.") : error;
  }
}

/** It needs nothing of what it leaves, and nothing may bar it. */
function beginsBack({ plan }: Start): boolean {
  return plan.escapes === true;
}

/** What the model is declared as once the target has its size. */
function declaredBy(context: RolloutContext, { record }: Deployed, start: Start): ModelSpec {
  const begun = withRollout(context, record, start);
  const replicas = { ...begun.settings.replicas, [start.release.slot]: start.plan.replicas };
  return modelSpec({ ...begun, settings: { ...begun.settings, replicas } }, context.namespace);
}

/** A slot that runs the release already needs no more. */
async function requireRoom(
  context: RolloutContext,
  { record, observation }: Deployed,
  start: Start,
): Promise<Admission | undefined> {
  const { endpoints } = observation.slots[start.release.slot];
  if (start.phase === "shift" && endpoints.ready.length > 0) return undefined;
  // A way back is told of it, and goes on with what finds room.
  const isWayBack = beginsBack(start);
  const { rollout } = context.config;
  const config =
    isWayBack && rollout.capacity === "require"
      ? { ...context.config, rollout: { ...rollout, capacity: "warn" as const } }
      : context.config;
  const spec = modelSpec(withRollout(context, record, start), context.namespace);
  const { slot } = start.release;
  const question = {
    spec,
    observation,
    slot,
    replicas: start.plan.replicas,
    vacated: vacatedFor(start.plan.mode, slot),
    objects: observation.slots[slot].deployment === undefined ? {} : { "replicasets.apps": 1 },
  };
  await requireCapacity({ ...context, config }, question, { warnUnknown: true });
  // What the API server says beforehand may be wrong about pods that ran before: that never bars a way back.
  return await requireAdmitted(context, spec, slot, isWayBack ? "warn" : undefined);
}

/** Whoever releases before the way back of the last release is over should know that it ends. */
function warnOfGivenUp({ events }: RolloutContext, seen: Deployed, { phase, kind, release }: Start): void {
  const lost = phase === "shift" ? undefined : warmSlotGivenUp(seen);
  if (lost === undefined || lost.release === release.number) return;
  events({
    type: "warning",
    code: "warm-slot-given-up",
    message: describeGivenUp(lost, `this ${kind}`),
    hint: `Until then, \`modelswitch rollback\` goes back to ${lost.release} at once.`,
  });
}

function refusePendingSwitch(context: RolloutContext, { routing, location }: Deployed): void {
  const pending = pendingSwitch(routing, location.router.capabilities);
  if (pending === undefined) return;
  throw new UserError({
    code: "switch-unfinished",
    message: `Before ${context.config.name} can get another release: ${pending}.`,
    exitCode: exitCodes.usage,
  });
}
