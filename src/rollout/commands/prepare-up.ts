import { routerNamed } from "../../component/routers/factory.ts";
import { configuredNames } from "../../core/names.ts";
import type { Note } from "../../core/note.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf, routingUnreadable } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { seeClaims, sharedHostNotes } from "../ingress/shared-hosts.ts";
import type { Observation } from "../observe/observation.ts";
import { type ModelLocation, observe } from "../observe/observe.ts";
import { modelSpec, planUp, type UpPlan } from "../plan/desired.ts";
import { type Handover, handovers, sizeOwners } from "../plan/handover.ts";
import { findHandChanges, handChangeNotes } from "../program/find-hand-changes.ts";
import type { HandChange } from "../program/hand-changes.ts";
import type { Desired } from "../program/model-program.ts";
import { refuseMigrating } from "../record/migration.ts";
import type { RolloutRecord } from "../record/record.ts";
import { requiredSourcesOf, sourcesOf } from "../record/release-spec.ts";
import { observeVersions, type Versions } from "../record/source-versions.ts";
import { refuseOtherRollout } from "../release/other-rollout.ts";

export interface UpOptions {
  readonly allowLiveChange: boolean;
  readonly allowLiveStop: boolean;
  readonly createNamespace: boolean;
  /** The model may belong to another environment: it becomes this one's. @default false */
  readonly takeOver?: boolean;
  /** Others have the host and path, too, and that is meant. @default false */
  readonly shareHost?: boolean;
  /** Asks whether the state in the project's folder is to move into the cluster. @default it stays */
  readonly agreeToMove?: (question: string) => Promise<boolean>;
}

/** What `up` would do, decided but not begun. */
export interface PreparedUp {
  readonly plan: UpPlan;
  /** As it is stored. */
  readonly record: RolloutRecord | undefined;
  readonly location: ModelLocation;
  readonly observation: Observation;
  readonly desired: Desired;
  readonly versions: Versions;
  /** What somebody changed past modelswitch. */
  readonly handChanges: readonly HandChange[];
  /** Slots that change between a fixed number of replicas and an autoscaler. */
  readonly handovers: readonly Handover[];
}

/**
 * Reads everything and decides.
 * @throws UserError when the configuration asks for what `up` must not do
 */
export async function prepareUp(
  context: RolloutContext,
  options: Pick<UpOptions, "allowLiveChange" | "allowLiveStop" | "takeOver" | "shareHost">,
): Promise<PreparedUp> {
  const record = await context.store.read();
  if (options.takeOver !== true) refuseOtherEnvironment(context, record);
  const location = locationOf(context, record);
  const observation = await observe(location);
  if (observation.ingress !== undefined && observation.routing === undefined) {
    throw routingUnreadable(context, observation.ingress, location);
  }
  await refuseOtherRollout(context, record);
  refuseMigrating(context.config.name, record);
  const versions = await presentVersions(context);
  const decided = decide(context, record, observation, versions, options);
  const handChanges =
    record === undefined
      ? []
      : await findHandChanges(context, modelSpec(record, context.namespace), observation.routing);
  const said = record === undefined ? [] : handChangeNotes(record, handChanges);
  const others = await otherClaims(context, record, observation, options.shareHost === true);
  const plan = { ...decided, notes: [...decided.notes, ...said, ...others] };
  await context.requireProbeHeaders();
  return {
    plan,
    record,
    location,
    observation,
    versions,
    handChanges,
    desired: desiredBy(context, plan),
    handovers: handovers(plan.record, observation, await sizeOwners(context, record, plan.record)),
  };
}

/** What other Ingresses have of the model's hosts and paths; refuses to take what others have. */
async function otherClaims(
  { api, config, namespace, signal }: RolloutContext,
  record: RolloutRecord | undefined,
  observation: Observation,
  shareHost: boolean,
): Promise<readonly Note[]> {
  const router = routerNamed(config.router);
  const seen = await seeClaims(
    api,
    namespace,
    config.ingress,
    configuredNames(config),
    signal,
    undefined,
    router,
  );
  const about = { model: config.name, namespace, shareHost };
  // An Ingress that somebody deleted had nothing that is not taken anew.
  const former = observation.ingress === undefined ? undefined : (record?.settings.ingress ?? config.ingress);
  return sharedHostNotes(seen, about, former);
}

/** Versions of what the configuration refers to. */
async function presentVersions({ config, api, namespace, signal }: RolloutContext): Promise<Versions> {
  const { runs } = config;
  const specs = runs.form === "slots" ? [runs.slots.blue, runs.slots.green] : [runs.release];
  const names = [...new Set(specs.flatMap(sourcesOf))];
  if (names.length === 0) return {};
  return await observeVersions(api, namespace, names, specs.flatMap(requiredSourcesOf), signal);
}

export function decide(
  context: RolloutContext,
  record: RolloutRecord | undefined,
  observation: Observation,
  versions: Versions,
  options: Pick<UpOptions, "allowLiveChange" | "allowLiveStop">,
): UpPlan {
  return planUp({
    config: context.config,
    record,
    observation,
    versions,
    now: new Date(context.clock.now()).toISOString(),
    by: context.operator,
    ...options,
  });
}

function desiredBy(context: RolloutContext, plan: UpPlan): Desired {
  return { spec: modelSpec(plan.record, context.namespace), routing: plan.routing };
}
