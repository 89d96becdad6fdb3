import { exitCodes, UserError } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import { goalOf, isWayBack } from "../../core/rollout/state.ts";
import { liveSlot, type Routing, settledOn, stepsTo } from "../../core/routing.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import { notReady } from "../../slots/not-ready.ts";
import { readiness } from "../../slots/readiness.ts";
import { refuseUnfinished } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Assume, type Deployed, observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withPermissions } from "../context/permissions.ts";
import { leavesBadSlot } from "../ingress/bad-slot.ts";
import { type ProofSubject, proofSubject } from "../ingress/proof-subject.ts";
import { proveRouting, unproved } from "../ingress/prove-routing.ts";
import { inTurn, type Lock, withLock, withLockInTurn } from "../lock/lock.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import { observe } from "../observe/observe.ts";
import { modelSpec } from "../plan/desired.ts";
import { requireStack } from "../plan/require-stack.ts";
import { sayUnapplied } from "../plan/unapplied.ts";
import { inProgress, refuseInProgress } from "../record/in-progress.ts";
import { lastKnownLive } from "../record/last-known-live.ts";
import { refuseMigrating } from "../record/migration.ts";
import { type RolloutRecord, releaseOf } from "../record/record.ts";
import { withSwitch } from "../release/begin-switch.ts";
import { execute } from "../release/execute.ts";
import { requireIdentity } from "../release/move-traffic.ts";
import { lastWords, waitForSlot } from "../traffic/slot-wait.ts";
import type { StepTiming } from "../traffic/traffic.ts";

export interface SwitchResult {
  readonly target: Slot;
  readonly from: Slot;
  /** Traffic was on the target already, and that was proved. */
  readonly alreadyThere: boolean;
  readonly routing: Routing;
  readonly steps: readonly StepTiming[];
  readonly readyMs: number;
  readonly identityMs: number;
  readonly totalMs: number;
  readonly identities: Readonly<Partial<Record<Slot, string>>>;
  readonly endpoints: readonly string[];
}

/**
 * Sends all traffic to a slot: a rollout with a cut-over only, taken by the driver of all rollouts. The slot is made ready and reached
 * through the ingress, the routing is written and proved, then Pulumi's state follows. Away from a live slot that is bad it is a way
 * back, which needs nothing of that one; `now`: all at once to a slot that is smaller than the load.
 * @throws UserError `slot-empty`, `slot-not-ready`, `slots-indistinguishable`, `preview-unproved`, `proof-failed`, `state-behind`, …
 */
export async function switchTraffic(
  context: RolloutContext,
  target: Slot,
  { now = false }: { readonly now?: boolean } = {},
): Promise<SwitchResult> {
  const startedAt = context.clock.now();
  const assume: Assume = (record) =>
    lastKnownLive(record) === undefined ? undefined : settledOn(otherSlot(target));
  const before = await withPermissions(context, ["switch"], () => observeDeployed(context, assume));
  refuse(context, before, target);
  // Where clients are not sent to the model, there is nothing that could be left gently.
  const escapes = before.observation.routing === undefined || (await leavesBadSlot(context, before, target));
  if (!escapes) {
    if (isThere(before, target)) return await proveThere(context, before, target, startedAt);
    refuseMigrating(context.config.name, before.record);
    if (!(await goesWithoutState(context))) {
      // A question for a passphrase belongs before the lock, which should be held for seconds.
      await context.prepareSecrets();
      await requireStack(context, before.observation, modelSpec(before.record, context.namespace));
    }
  }
  const locked: typeof withLock = escapes
    ? (options, work) => withLockInTurn(options, inTurn(context), work)
    : withLock;
  return await locked(context.lockOptions(`switch ${target}`), async (lock) => {
    const deployed = await observeDeployed(context, escapes ? assume : undefined);
    refuse(context, deployed, target);
    if (isThere(deployed, target)) return await proveThere(context, deployed, target, startedAt);
    if (!escapes) refuseMigrating(context.config.name, deployed.record);
    if (!escapes) sayUnapplied(context, deployed.record, "switch");
    // Away from a bad slot, what was begun forward is a way back now.
    if (escapes || !isOnItsWay(deployed, target)) {
      await context.store.update(
        (record) => record && withSwitch(context, record, deployed, { target, escapes, now }),
      );
    }
    return await taken(context, lock, deployed, target, startedAt);
  });
}

/** Where there is no configuration, and no state in the cluster, there is mostly none here either: a switch is not refused for that, and says what is left. */
async function goesWithoutState({ config, events, state }: RolloutContext): Promise<boolean> {
  if (config.remembered !== true) return false;
  const place = await state.place();
  if (place.kind === "cluster" && place.stored !== undefined) return false;
  events({
    type: "warning",
    code: "switch-without-state",
    message: "There is no configuration here, so Pulumi's state is not looked for before the traffic moves.",
    hint: "Where the configuration is, `modelswitch resume` makes Pulumi's state follow if it does not.",
  });
  return true;
}

/** Takes a recorded switch to its end. */
async function taken(
  context: RolloutContext,
  lock: Lock,
  { routing }: Deployed,
  target: Slot,
  startedAt: number,
): Promise<SwitchResult> {
  const { clock } = context;
  const steps: StepTiming[] = [];
  let subject: ProofSubject | undefined;
  let hasWritten = false;
  let askedAt: number | undefined;
  let knownAt: number | undefined;
  const events: EventSink = (event) => {
    if (event.type === "step" && event.id.startsWith("deploy-")) hasWritten = true;
    if (event.type === "step" && event.id === "identities") {
      if (event.state === "started") askedAt ??= clock.now();
      if (event.state === "done") knownAt ??= clock.now();
    }
    context.events(event);
  };
  const end = await execute({ ...context, events }, lock, {
    isNew: true,
    onStep: (timing, of) => {
      steps.push(timing);
      subject = of;
    },
  });
  if (end.kind !== "finished" || end.state.outcome !== "released") {
    const failure = end.kind === "finished" ? end.failure : undefined;
    throw failure === undefined
      ? ended(context, target)
      : afterWrites(failure, hasWritten || steps.length > 0);
  }
  const readyAt = askedAt ?? startedAt;
  return {
    target,
    from: liveSlot(routing),
    alreadyThere: false,
    routing: steps.at(-1)?.routing ?? settledOn(target),
    steps,
    readyMs: readyAt - startedAt,
    identityMs: (knownAt ?? readyAt) - readyAt,
    totalMs: clock.now() - startedAt,
    identities: subject?.identities ?? {},
    endpoints: (subject?.endpoints ?? []).map(({ url }) => url),
  };
}

/** Exit code 2 says that nothing was done. */
function afterWrites(failure: UserError, hasWritten: boolean): UserError {
  const { code, message, hint, details, exitCode } = failure;
  if (!hasWritten || exitCode !== exitCodes.usage) return failure;
  return new UserError({
    code,
    message,
    exitCode: exitCodes.failed,
    cause: failure,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}

/** Somebody wanted the traffic back meanwhile. */
function ended({ config }: RolloutContext, target: Slot): UserError {
  return new UserError({
    code: "made-way",
    message: `The switch of ${config.name} to ${target} was taken back: somebody asked for it.`,
    hint: "`modelswitch status` shows where traffic is.",
    exitCode: exitCodes.locked,
  });
}

/** @throws UserError `adoption-unfinished`, `environment-other`, `rollout-in-progress`, `slot-empty` */
function refuse(context: RolloutContext, deployed: Deployed, target: Slot): void {
  const { record, observation } = deployed;
  refuseUnfinished(record);
  refuseOtherEnvironment(context, record);
  if (!isOnItsWay(deployed, target) && !isReplaced(deployed, target))
    refuseInProgress(context.config.name, record);
  refuseEmpty(context, record, observation, target);
}

/** Whether a command that was stopped has begun this switch: it is finished. */
function isOnItsWay({ record }: Deployed, target: Slot): boolean {
  const entry = inProgress(record);
  return entry?.kind === "switch" && !isWayBack(entry.plan, entry.state) && entry.state.target === target;
}

/** Whether a switch leads to the other slot for good: nobody has to wait until it is over to lead the traffic away from there. */
function isReplaced({ record }: Deployed, target: Slot): boolean {
  const entry = inProgress(record);
  return entry?.kind === "switch" && isWayBack(entry.plan, entry.state) && goalOf(entry.state) !== target;
}

/** Whether nothing is left to do. */
function isThere({ record, routing, location }: Deployed, target: Slot): boolean {
  return (
    inProgress(record)?.kind !== "switch" &&
    stepsTo(target, routing, location.router.capabilities).length === 0
  );
}

/** Traffic is on the target: only that is proved. */
async function proveThere(
  context: RolloutContext,
  { record, location, observation: seen, routing }: Deployed,
  target: Slot,
  startedAt: number,
): Promise<SwitchResult> {
  const { clock } = context;
  // Nothing is to be written, so nobody makes a Service that is gone: waiting for it is pointless.
  if (seen.slots[target].service === undefined) await refuseUnready(context, seen.slots[target]);
  await waitForSlot(context, location, target);
  const readyAt = clock.now();
  const observation = await observe(location);
  const readySlots = slots.filter((slot) => readiness(observation.slots[slot]).state === "ready");
  // It was ready a moment ago; without it nothing could be proved.
  if (!readySlots.includes(target)) await refuseUnready(context, observation.slots[target]);
  const { router } = location;
  const subject = await proofSubject(context, { settings: record.settings, router, observation, readySlots });
  requireIdentity(subject, target);
  const identityAt = clock.now();
  const verdict = await proveRouting(context, subject, routing, {
    id: "prove-present",
    title: "Prove the present routing at the ingress",
    signal: context.signal,
  });
  if (verdict.state === "open") {
    throw unproved(subject, verdict, {
      message: `The routing objects send all traffic to ${routing.main}, but the ingress does not show it`,
      hint: "Check the ingress controller and where it listens (ingress.endpoints in the config file).",
    });
  }
  return {
    target,
    from: target,
    alreadyThere: true,
    routing,
    steps: [],
    readyMs: readyAt - startedAt,
    identityMs: identityAt - readyAt,
    totalMs: clock.now() - startedAt,
    identities: subject.identities,
    endpoints: subject.endpoints.map(({ url }) => url),
  };
}

/** @throws UserError `slot-empty` (exit code 2) */
function refuseEmpty(
  context: RolloutContext,
  record: RolloutRecord,
  observation: Observation,
  target: Slot,
): void {
  const { config } = context;
  const release = releaseOf(record, target);
  const isDeployment = (release ?? releaseOf(record, otherSlot(target)))?.spec.image !== undefined;
  if (!isDeployment) return;
  const wanted = record.settings.replicas[target];
  const present = observation.slots[target].deployment?.desiredReplicas ?? 0;
  if (wanted > 0 || present > 0) return;
  const what = release === undefined ? `${target} runs no release` : `${target} has 0 replicas`;
  throw new UserError({
    code: "slot-empty",
    message: `${what}, so it cannot take the traffic of ${config.name}.`,
    hint:
      config.runs.form === "slots"
        ? `Give slots.${target}.replicas a number in ${config.file}, run \`modelswitch up\`, then switch.`
        : `\`modelswitch release --set image=IMAGE\` puts a new release into it and moves the traffic there. To switch by hand, let ${target} run too: set idleReplicas in ${config.file}, or name what each slot runs (\`slots\` instead of \`release\`); run \`modelswitch up\`, then switch.`,
    exitCode: exitCodes.usage,
    details: { slot: target },
  });
}

/** @throws UserError `slot-not-ready` */
async function refuseUnready(context: RolloutContext, observed: SlotObservation): Promise<void> {
  const verdict = readiness(observed);
  if (verdict.state === "ready") return;
  throw await notReady(observed, verdict, lastWords(context));
}
