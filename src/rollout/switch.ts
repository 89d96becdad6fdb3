import { notReady } from "../slots/not-ready.ts";
import { unapplied } from "./plan/unapplied.ts";
import type { Traffic } from "./traffic/traffic.ts";
import { stackOnce } from "./traffic/traffic.ts";
import type { StepTiming } from "./traffic/traffic.ts";
import { describeTraffic } from "../core/routing.ts";
import { unproved } from "./ingress/prove-routing.ts";
import { proveRouting } from "./ingress/prove-routing.ts";
import { proofSubject } from "./ingress/proof-subject.ts";
import type { ProofSubject } from "./ingress/proof-subject.ts";
import { observeDeployed } from "./context/deployed.ts";
import type { Deployed } from "./context/deployed.ts";
import { waitForSlot } from "./traffic/slot-wait.ts";
import { lastWords } from "./traffic/slot-wait.ts";
import { withoutWindow } from "./record/in-progress.ts";
import { refuseInProgress } from "./record/in-progress.ts";
import { leavesBadSlot } from "./ingress/bad-slot.ts";
import { releaseOf } from "./record/record.ts";
import type { RolloutRecord } from "./record/record.ts";
import { reconcile } from "../cli/commands/reconcile.ts";
import { withPermissions } from "./context/permissions.ts";
import { observeSlot } from "./observe/observe.ts";
import { observe } from "./observe/observe.ts";
import { newest } from "./observe/observe.ts";
import type { SlotObservation } from "../slots/observation.ts";
import type { Observation } from "./observe/observation.ts";
import { withLock } from "./lock/lock.ts";
import type { Lock } from "./lock/held-lock.ts";
import { requireAnswer } from "./ingress/require-answer.ts";
import { indistinguishable } from "./proof/identities.ts";
import { refuseOtherEnvironment } from "./context/environment.ts";
import { modelSpec } from "./plan/desired.ts";
import type { RolloutContext } from "./context/context.ts";
import { refuseUnfinished } from "./context/adoption-guard.ts";
import { exitCodes, interrupted, UserError } from "../core/errors.ts";
import { liveSlot, type Routing, settledOn, stepsTo } from "../core/routing.ts";
import { otherSlot, type Slot, slots } from "../core/slots.ts";
import { unstoppable } from "../core/unstoppable.ts";
import { readiness } from "../slots/readiness.ts";
import { switchAway } from "./release/switch-away.ts";
import { wayAsked } from "./release/way-asked.ts";
import { moveTraffic } from "./traffic.ts";

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
 * Sends all traffic to a slot: readiness of all its replicas, the writes through Pulumi, the proof at the ingress. Away from a live
 * slot that is bad it is a way back, which needs nothing of that one; `now`: all at once to a slot that is smaller than the load.
 */
export async function switchTraffic(
  context: RolloutContext,
  target: Slot,
  { now = false }: { readonly now?: boolean } = {},
): Promise<SwitchResult> {
  // A question for a passphrase belongs before the lock, which should be held for seconds.
  const before = await withPermissions(context, ["switch"], () => observeDeployed(context));
  refuseUnfinished(before.record);
  refuseOtherEnvironment(context, before.record);
  refuseInProgress(context.config.name, before.record);
  refuseEmpty(context, before.record, before.observation, target);
  if ((await leavesBadSlot(context, before, target)) || goesWithoutState(context, before, target)) {
    const { steps, ...away } = await switchAway(context, target, now);
    const routing = settledOn(target);
    return { target, alreadyThere: false, routing, steps, readyMs: 0, identityMs: 0, ...away };
  }
  await context.prepareSecrets();
  let moving = false;
  try {
    return await withLock(context.lockOptions(`switch ${target}`), async (lock) => {
      lock.yieldTo(wayAsked(context));
      return await switchLocked(context, target, lock, () => {
        moving = true;
      });
    });
  } catch (error) {
    // Stops before the first write come from whatever was waited for: say what they mean for the traffic.
    if (moving || !(error instanceof UserError && error.code === "interrupted" && error.hint === undefined))
      throw error;
    throw interrupted("The switch", `Nothing was changed: traffic is on ${describeTraffic(before.routing)}.`);
  }
}

/**
 * Where there is no configuration there is mostly no state of Pulumi's either, and whoever switches there has a reason to: by the API server
 * alone, as on a way back, it is not refused for that.
 */
function goesWithoutState({ config, events }: RolloutContext, { routing }: Deployed, target: Slot): boolean {
  if (config.remembered !== true || liveSlot(routing) === target) return false;
  events({
    type: "warning",
    code: "switch-without-state",
    message: `There is no configuration here, so this switch is like a way back: by the API server alone, and traffic stays on ${target}.`,
    hint: "Where the configuration is, `modelswitch resume` makes Pulumi's state follow if it does not.",
  });
  return true;
}

async function switchLocked(
  context: RolloutContext,
  target: Slot,
  lock: Lock,
  onMove: () => void,
): Promise<SwitchResult> {
  const { clock } = context;
  const startedAt = clock.now();
  const deployed = await observeDeployed(context);
  const { location, routing } = deployed;
  refuseInProgress(context.config.name, deployed.record);
  refuseUnfinished(deployed.record);
  refuseEmpty(context, deployed.record, deployed.observation, target);
  warnIfUnapplied(context, deployed.record);
  const from = liveSlot(routing);
  const steps = stepsTo(target, routing, location.router.capabilities);

  const stack = stackOnce(context);
  // Loading Pulumi takes a second: it happens while the slot is looked at.
  if (steps.length > 0) stack().catch(() => undefined);

  const { record, atLeast } = await reconcile(context, deployed, target, steps.length > 0);
  const spec = modelSpec(record, context.namespace);
  // Nothing is to be written, so nobody makes a Service that is gone: waiting for it is pointless.
  const isGone = steps.length === 0 && deployed.observation.slots[target].service === undefined;
  if (isGone) await stillReady(context, deployed, target, atLeast);
  await waitForSlot(context, location, target, atLeast);
  const readyAt = clock.now();

  const observation = await observe(location);
  const readySlots = slots.filter((slot) => readiness(observation.slots[slot]).state === "ready");
  // It was ready a moment ago; without it nothing could be proved.
  if (!readySlots.includes(target)) await refuseUnready(context, observation.slots[target]);
  const subject = await proofSubject(context, {
    settings: record.settings,
    router: location.router,
    observation,
    readySlots,
  });
  requireIdentity(subject, target);
  warnIfUnproven(context, subject, target);
  const identityAt = clock.now();

  const timings =
    steps.length === 0
      ? await proveAlreadyThere(context, subject, routing)
      : await move(
          {
            context,
            location,
            spec,
            stack,
            subject,
            lock,
            // Whoever leads traffic back proves what they write.
            stopProof: lock.signal,
            stillReady: () => stillReady(context, deployed, target, atLeast),
          },
          routing,
          steps,
          target,
          onMove,
        );
  if (timings.length > 0) await remember(context, from, target, clock.now() - startedAt);
  return {
    target,
    from,
    alreadyThere: timings.length === 0,
    routing: timings.at(-1)?.routing ?? routing,
    steps: timings,
    readyMs: readyAt - startedAt,
    identityMs: identityAt - readyAt,
    totalMs: clock.now() - startedAt,
    identities: subject.identities,
    endpoints: subject.endpoints.map(({ url }) => url),
  };
}

async function move(
  traffic: Traffic,
  routing: Routing,
  steps: ReturnType<typeof stepsTo>,
  target: Slot,
  onMove: () => void,
): Promise<StepTiming[]> {
  const { context, subject } = traffic;
  const canPreview =
    subject.router.capabilities.header && routing.candidate === target && routing.main !== target;
  if (canPreview && steps[0]?.visible === true) {
    // The target was armed by an earlier command: prove that the ingress really reaches it before clients do.
    const verdict = await proveRouting(context, subject, routing, {
      id: "prove-preview",
      title: `Prove ${target} through the ingress, by the preview header`,
      signal: context.signal,
      only: (view) => view.name === "preview",
    });
    if (verdict.state === "open") {
      throw unproved(subject, verdict, {
        code: "preview-unproved",
        message: `${target} cannot be reached through the ingress, so it got no traffic; nothing was changed`,
        hint: 'Check that the ingress controller reads canary Ingresses (ingress-nginx, or Traefik 3.7 and newer with its kubernetesIngressNGINX provider), or use router: "plain".',
      });
    }
  } else {
    await requireAnswer(context, subject);
  }
  onMove();
  return await moveTraffic(traffic, routing, steps);
}

async function proveAlreadyThere(
  context: RolloutContext,
  subject: ProofSubject,
  routing: Routing,
): Promise<StepTiming[]> {
  const verdict = await proveRouting(context, subject, routing, {
    id: "prove-present",
    title: "Prove the present routing at the ingress",
    signal: context.signal,
  });
  if (verdict.state === "proved") return [];
  throw unproved(subject, verdict, {
    message: `The routing objects send all traffic to ${routing.main}, but the ingress does not show it`,
    hint: "Check the ingress controller and where it listens (ingress.endpoints in the config file).",
  });
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

/** Rule: a slot's share never grows unless all its replicas are ready at that moment. */
async function stillReady(
  context: RolloutContext,
  { location }: Deployed,
  target: Slot,
  atLeast: number,
): Promise<void> {
  const observed = await observeSlot(newest({ ...location, signal: unstoppable }), target);
  await refuseUnready(context, observed, atLeast);
}

/** @throws UserError `slot-not-ready` */
async function refuseUnready(context: RolloutContext, observed: SlotObservation, atLeast = 0): Promise<void> {
  const verdict = readiness(observed, atLeast);
  if (verdict.state === "ready") return;
  throw await notReady(observed, verdict, lastWords(context));
}

function warnIfUnapplied(context: RolloutContext, record: RolloutRecord): void {
  const lines = unapplied(context.config, record);
  if (lines.length === 0) return;
  context.events({
    type: "warning",
    code: "config-not-applied",
    message: `${context.config.file} says what was not applied yet, and the switch leaves it alone: ${lines.join("; ")}.`,
    hint: "`modelswitch up` applies it.",
  });
}

/**
 * Without the target's identity every view would be left out, and a switch would be called proved that nobody looked at.
 * @throws UserError `slots-indistinguishable`
 */
function requireIdentity(subject: ProofSubject, target: Slot): void {
  if (subject.identities[target] !== undefined) return;
  throw indistinguishable(
    `No ready endpoint of ${target} is a pod, so none can be asked who it is: an answer of ${target} could not be recognised.`,
    { slot: target },
  );
}

function warnIfUnproven(context: RolloutContext, subject: ProofSubject, target: Slot): void {
  const other = otherSlot(target);
  if (subject.identities[other] !== undefined) return;
  context.events({
    type: "warning",
    code: "other-slot-not-ready",
    message: `${other} is not ready: answers are proved to come from ${target}, but none can be asked of ${other}.`,
  });
}

async function remember(context: RolloutContext, from: Slot, to: Slot, durationMs: number): Promise<void> {
  const at = new Date(context.clock.now()).toISOString();
  await context.store.update(
    (record) =>
      record && {
        ...withoutWindow(record, context.namespace, context.clock.now()),
        history: [...record.history, { at, from, to, by: context.operator, durationMs }],
      },
  );
}
