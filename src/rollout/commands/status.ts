import { defaults } from "../../core/defaults.ts";
import { beginning } from "../../core/identity-path.ts";
import type { MigrationStage } from "../../core/migration.ts";
import type { RolloutKind, Stage } from "../../core/rollout/state.ts";
import type { RouterName } from "../../core/router-names.ts";
import { describeExtras, liveSlot, splitOf } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { podEvidence } from "../../slots/pod-evidence.ts";
import { readiness } from "../../slots/readiness.ts";
import { pendingAdoption } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { assumeLastKnown, type Deployed, describeAstray, observeDeployed } from "../context/deployed.ts";
import { worker } from "../lock/lock-worker.ts";
import type { Observation, PodEvidence, PodProblem, SlotObservation } from "../observe/observation.ts";
import { modelSpec } from "../plan/desired.ts";
import { pendingSwitch } from "../plan/pending-switch.ts";
import { findHandChanges } from "../program/find-hand-changes.ts";
import type { HandChange } from "../program/hand-changes.ts";
import { inProgress, isLive } from "../record/in-progress.ts";
import { pendingMigration } from "../record/migration.ts";
import { type RolloutRecord, releaseOf, type SwitchRecord } from "../record/record.ts";
import { heldNow } from "../release/observe-world.ts";
import { isCounted, type ObservedShare, ShareObserver } from "../release/observed-share.ts";
import { describeHeld } from "../release/rollout-end.ts";

export interface SlotStatus {
  /** `undefined`: no release was put into it. */
  readonly release: number | undefined;
  readonly image: string | undefined;
  /** The image that the release's pods were first seen to run, as the node names it: mostly with its digest. */
  readonly imageId: string | undefined;
  /** Whether modelswitch runs the pods, or somebody else. */
  readonly pods: "ours" | "yours";
  readonly ready: boolean;
  readonly replicas: { readonly ready: number; readonly desired: number | undefined };
  readonly endpoints: { readonly ready: number; readonly notReady: number; readonly terminating: number };
  readonly trafficPercent: number;
  readonly reasons: readonly string[];
  readonly problems: readonly (PodProblem & { readonly evidence?: PodEvidence })[];
}

export interface ModelStatus {
  readonly model: string;
  readonly namespace: string;
  readonly context: string;
  /** `undefined`: clients are sent to something else than the model, or to nothing. */
  readonly live: Slot | undefined;
  readonly split: { readonly blue: number; readonly green: number };
  readonly slots: Readonly<Record<Slot, SlotStatus>>;
  readonly host: string;
  readonly url: string;
  /** Addresses of the Ingress, or the configured endpoints. */
  readonly endpoints: readonly string[];
  readonly router: string;
  /** What an unfinished command still has to do. */
  readonly pending: string | undefined;
  /** What some clients get otherwise than others, in words: testers, copies of requests, clients that stay where they are. */
  readonly beside: string | undefined;
  readonly lastSwitch: SwitchRecord | undefined;
  /** What somebody changed past modelswitch, field by field. */
  readonly changedByHand: readonly HandChange[];
  /** The rollout in progress. */
  readonly rollout: RolloutStatus | undefined;
  /** Where clients' requests really went; `undefined`: nobody looked, because the configuration does not say who counts. */
  readonly observed: ObservedShare | undefined;
  /** The move to another router that is on its way. */
  readonly migration: MigrationStatus | undefined;
}

export interface MigrationStatus {
  readonly from: RouterName;
  readonly to: RouterName;
  readonly stage: MigrationStage;
  /** Whether it takes back a move of which clients may have heard. */
  readonly isBack: boolean;
  readonly by: string;
  readonly startedAt: string;
}

/** How the shares are observed. */
export interface Observing {
  /** Milliseconds between two readings of the counters. 0: nobody looks. `undefined`: a second, where the configuration says who counts. */
  readonly readingMs: number | undefined;
  /** Goes on from look to look. */
  readonly observer: ShareObserver;
}

const defaultReadingMs = 1_000;

export interface RolloutStatus {
  readonly kind: RolloutKind;
  readonly release: number;
  readonly target: Slot;
  readonly phase: string;
  /** Where in the phase: approval and the hooks before it, what it is for, the hooks after it. */
  readonly stage: Stage;
  readonly direction: "forward" | "back";
  readonly paused: boolean;
  /** What it waits for that somebody or the time has to bring, in words. */
  readonly waitsFor: string | undefined;
  /** The command that works on it, in words; `null`: none does, and somebody has to go on with it. `undefined`: it cannot be seen. */
  readonly worksOnIt: string | null | undefined;
  readonly by: string;
  readonly startedAt: string;
  /** ISO 8601; until when the old slot stays warm. `undefined` before the release is live. */
  readonly warmUntil: string | undefined;
}

/**
 * One document about the model. Reads the cluster only: no Pulumi, no proof.
 * @throws UserError `not-deployed`, `routing-unreadable` where nobody was ever served
 */
export async function modelStatus(
  context: RolloutContext,
  { readingMs = isCounted(context) ? defaultReadingMs : 0, observer }: Observing = {
    readingMs: undefined,
    observer: new ShareObserver(),
  },
): Promise<ModelStatus> {
  const { record, location, observation, routing } = await observeDeployed(context, assumeLastKnown);
  const { config } = context;
  const isAstray = observation.routing === undefined;
  const split = isAstray ? { blue: 0, green: 0 } : splitOf(routing);
  const [[blue, green], changedByHand, observed] = await Promise.all([
    Promise.all(slots.map((slot) => slotStatus(context, record, observation.slots[slot], split[slot]))),
    findHandChanges(context, modelSpec(record, context.namespace)),
    readingMs === 0 || isAstray
      ? undefined
      : observer.observe(context, { record, observation, routing }, readingMs),
  ]);
  if (blue === undefined || green === undefined) throw new Error("There are two slots.");
  const { ingress } = record.settings;
  const scheme = (observation.ingress?.tlsHosts ?? []).length > 0 ? "https" : "http";
  return {
    model: config.name,
    namespace: context.namespace,
    context: context.kubernetesContext,
    live: isAstray ? undefined : liveSlot(routing),
    split,
    slots: { blue, green },
    host: ingress.host,
    url: `${scheme}://${ingress.host}${beginning(ingress.path ?? defaults.ingress.path)}`,
    endpoints: endpointsOf(config.endpoints, observation.ingress),
    router: record.settings.router,
    beside: isAstray ? undefined : describeExtras(routing),
    pending:
      (isAstray
        ? `the ${describeAstray(location)}; \`modelswitch switch SLOT\` or \`modelswitch rollback\` writes it as a whole`
        : undefined) ??
      pendingAdoption(record) ??
      pendingMigration(record) ??
      (inProgress(record) === undefined ? pendingSwitch(routing, location.router.capabilities) : undefined) ??
      (record.applying && inProgress(record) === undefined ? await describeApplying(context) : undefined),
    lastSwitch: record.history.at(-1),
    changedByHand,
    rollout: await rolloutStatus(context, { record, observation, routing }),
    observed,
    migration: migrationStatus(record),
  };
}

async function rolloutStatus(
  context: RolloutContext,
  { record, ...seen }: Pick<Deployed, "record" | "observation" | "routing">,
): Promise<RolloutStatus | undefined> {
  const entry = inProgress(record);
  if (entry === undefined) return undefined;
  const { kind, plan, state, by, startedAt } = entry;
  const { release, target, phase, stage, direction, paused } = state;
  const warmUntil = isLive(state) ? new Date(state.since + plan.rollbackWindowMs).toISOString() : undefined;
  const held = heldNow(context, record, entry, seen);
  const waitsFor = held === undefined ? undefined : describeHeld(held);
  const worksOnIt = await worker(context);
  return {
    ...{ kind, release, target, phase, stage, direction, paused, waitsFor, worksOnIt },
    ...{ by, startedAt, warmUntil },
  };
}

/** On the way to another router the configuration says where the new one is. */
function endpointsOf(configured: readonly string[], front: Observation["ingress"]): readonly string[] {
  const said = front?.known ?? configured;
  return said.length > 0 ? said : (front?.addresses ?? []);
}

function migrationStatus({ migration }: RolloutRecord): MigrationStatus | undefined {
  if (migration === undefined) return undefined;
  const { from, to, stage, isBack = false, by, startedAt } = migration;
  return { from: from.router, to: to.router, stage, isBack, by, startedAt };
}

/** Something is being applied that is no part of a rollout, or was. */
async function describeApplying(context: RolloutContext): Promise<string> {
  const works = await worker(context);
  switch (works) {
    case undefined:
      return "an `up` is running, or did not finish; `modelswitch up` finishes it";
    case null:
      return "an `up` did not finish, and no command works on it; `modelswitch up` finishes it";
    default:
      return `${works} is running`;
  }
}

async function slotStatus(
  context: RolloutContext,
  record: RolloutRecord,
  observed: SlotObservation,
  trafficPercent: number,
): Promise<SlotStatus> {
  const verdict = readiness(observed);
  const problems = verdict.state === "ready" ? [] : [...verdict.problems, ...verdict.waiting].slice(0, 3);
  const evidence = await Promise.all(
    problems.map((problem) => podEvidence(context.api, context.namespace, problem, context.signal)),
  );
  const { deployment, endpoints } = observed;
  return {
    release: releaseOf(record, observed.slot)?.number,
    image: deployment?.image,
    imageId: releaseOf(record, observed.slot)?.imageId,
    pods: deployment === undefined ? "yours" : "ours",
    ready: verdict.state === "ready",
    replicas: { ready: endpoints.ready.length, desired: deployment?.desiredReplicas },
    endpoints: {
      ready: endpoints.ready.length,
      notReady: endpoints.notReady,
      terminating: endpoints.terminating,
    },
    trafficPercent,
    reasons: verdict.state === "ready" ? [] : verdict.reasons,
    problems: problems.map((problem, index) => {
      const words = evidence[index];
      return words === undefined ? problem : { ...problem, evidence: words };
    }),
  };
}
