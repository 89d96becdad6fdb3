import type { RolloutContext } from "./context.ts";
import { modelSpec, planUp, type UpPlan } from "./desired.ts";
import { refuseOtherEnvironment } from "./environment.ts";
import { type Handover, handovers, sizeOwners } from "./handover.ts";
import type { Observation } from "./observation.ts";
import { type ModelLocation, observe } from "./observe.ts";
import type { Desired } from "./program.ts";
import type { RolloutRecord } from "./record.ts";
import { refuseInProgress } from "./release/entry.ts";
import { requiredSourcesOf, sourcesOf } from "./release-spec.ts";
import { locationOf, routingUnreadable } from "./subject.ts";
import { observeVersions, type Versions } from "./versions.ts";

export interface UpOptions {
  readonly allowLiveChange: boolean;
  readonly allowLiveStop: boolean;
  readonly createNamespace: boolean;
  /** The model may belong to another environment: it becomes this one's. @default false */
  readonly takeOver?: boolean;
}

/** What `up` would do, decided but not begun. */
export interface PreparedUp {
  readonly plan: UpPlan;
  readonly location: ModelLocation;
  readonly observation: Observation;
  readonly desired: Desired;
  readonly versions: Versions;
  /** Slots that change between a fixed number of replicas and an autoscaler. */
  readonly handovers: readonly Handover[];
}

/**
 * Reads everything and decides.
 * @throws UserError when the configuration asks for what `up` must not do
 */
export async function prepareUp(
  context: RolloutContext,
  options: Pick<UpOptions, "allowLiveChange" | "allowLiveStop" | "takeOver">,
): Promise<PreparedUp> {
  const record = await context.store.read();
  if (options.takeOver !== true) refuseOtherEnvironment(context, record);
  const location = locationOf(context, record);
  const observation = await observe(location);
  if (observation.ingress !== undefined && observation.routing === undefined) {
    throw routingUnreadable(context, observation.ingress);
  }
  refuseInProgress(context.config.name, record);
  const versions = await presentVersions(context);
  const plan = decide(context, record, observation, versions, options);
  await context.requireProbeHeaders();
  return {
    plan,
    location,
    observation,
    versions,
    desired: desiredBy(context, plan),
    handovers: handovers(plan.record, observation, await sizeOwners(context, record, plan.record)),
  };
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
