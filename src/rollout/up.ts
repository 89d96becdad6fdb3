import { exitCodes, UserError } from "../core/errors.ts";
import { step } from "../core/events.ts";
import { liveSlot, type Routing } from "../core/routing.ts";
import { type Slot, slots } from "../core/slots.ts";
import type { ResourceChange } from "../engine/stack.ts";
import { KubernetesApiError } from "../kubernetes/api.ts";
import type { RolloutContext } from "./context.ts";
import { modelSpec, planUp, type UpPlan } from "./desired.ts";
import { refuseOtherEnvironment } from "./environment.ts";
import { giveUpReplicas, type Handover, handovers, sizeOwners, takeReplicas } from "./handover.ts";
import { withImagesRun } from "./images-run.ts";
import { withLock } from "./lock.ts";
import type { Observation } from "./observation.ts";
import { type ModelLocation, observe } from "./observe.ts";
import { withPermissions } from "./permissions.ts";
import type { Note } from "./plan-input.ts";
import type { Desired, ModelStack } from "./program.ts";
import { readiness } from "./readiness.ts";
import type { RolloutRecord } from "./record.ts";
import { refuseInProgress } from "./release/entry.ts";
import { requiredSourcesOf, sourcesOf } from "./release-spec.ts";
import { waitForSlot, whileWatching } from "./slot-wait.ts";
import { identityProbe, locationOf, proofSubject, proveRouting, routingUnreadable } from "./subject.ts";
import { observeVersions, type Versions } from "./versions.ts";

export interface UpOptions {
  readonly allowLiveChange: boolean;
  readonly allowLiveStop: boolean;
  readonly createNamespace: boolean;
  /** The model may belong to another environment: it becomes this one's. @default false */
  readonly takeOver?: boolean;
}

export interface UpResult {
  readonly live: Slot;
  readonly routing: Routing;
  readonly record: RolloutRecord;
  readonly changes: readonly ResourceChange[];
  readonly outputs: Readonly<Record<string, unknown>>;
  /** `skipped` says why nothing could be asked. */
  readonly proof:
    | { readonly state: "proved"; readonly probes: number; readonly endpoints: readonly string[] }
    | { readonly state: "skipped"; readonly reason: string };
  readonly notes: readonly Note[];
  readonly applyMs: number;
  readonly totalMs: number;
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

function decide(
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

/** Makes the cluster what the configuration says, with the traffic where it is, and proves that the live slot answers. */
export async function up(context: RolloutContext, options: UpOptions): Promise<UpResult> {
  const { clock, events } = context;
  const startedAt = clock.now();
  // Everything that can be refused is refused before anything is asked or written.
  const first = await withPermissions(context, ["up"], () => prepareUp(context, options));
  await context.prepareSecrets();
  await ensureNamespace(context, first.observation, options.createNamespace);

  return await withLock(context.lockOptions("up"), async (lock) => {
    const prepared = await prepareUp(context, options);
    const { plan, observation } = prepared;
    for (const note of plan.notes) events({ type: "warning", ...note });
    await context.store.update((record) =>
      withoutChange(record, decide(context, record, observation, prepared.versions, options).record),
    );
    await lock.check();
    const appliedAt = clock.now();
    const applied = await apply(context, prepared);
    const applyMs = clock.now() - appliedAt;
    const live = liveSlot(plan.routing);
    const location = locationOf(context, plan.record);
    if (shouldWait(prepared, live)) await waitForSlot(context, location, live);
    const seen = await observe(location);
    const images = withImagesRun(plan.record, seen);
    await context.store.update(
      (record) => record && withoutChange(record, { ...withImagesRun(record, seen).record, applying: false }),
    );
    const proved = await proveUp(context, location, plan, seen);
    const { proof } = proved;
    const notes = [...images.notes, ...proved.notes];
    for (const note of notes) events({ type: "warning", ...note });
    return {
      live,
      routing: plan.routing,
      record: { ...images.record, applying: false },
      changes: applied.changes,
      outputs: applied.outputs,
      proof,
      notes: [...plan.notes, ...notes],
      applyMs,
      totalMs: clock.now() - startedAt,
    };
  });
}

/** The same object where nothing differs, so that it is not written. */
function withoutChange(before: RolloutRecord | undefined, after: RolloutRecord): RolloutRecord {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}

async function ensureNamespace(
  context: RolloutContext,
  observation: Observation,
  create: boolean,
): Promise<void> {
  const { namespace, api, kubernetesContext } = context;
  if (observation.namespaceExists) return;
  if (!create) {
    throw new UserError({
      code: "namespace-missing",
      message: `The namespace ${namespace} does not exist in the cluster of the context ${kubernetesContext}.`,
      hint: "Pass --create-namespace to make it, or name another one in the config file (`namespace`).",
      exitCode: exitCodes.usage,
    });
  }
  await step(context.events, { id: "namespace", title: `Create the namespace ${namespace}` }, async () => {
    try {
      await api.json({
        method: "POST",
        path: "/api/v1/namespaces",
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        signal: context.signal,
      });
    } catch (error) {
      if (!(error instanceof KubernetesApiError && error.status === 409)) throw error;
    }
  });
}

async function apply(context: RolloutContext, prepared: PreparedUp) {
  const { plan, observation, desired, location, handovers: passed } = prepared;
  const watched = slots.filter((slot) => {
    const { image, replicas } = desired.spec.slots[slot];
    return image !== undefined && (replicas ?? 1) > 0;
  });
  return await whileWatching(context, location, watched, async (signal, events) => {
    const stack = await context.openStack(signal, events);
    if (await hasDrifted(plan.record, observation, desired, stack)) {
      // Pulumi compares with its state, not with the cluster: what was deleted or scaled down by hand has to be looked at first.
      await step(context.events, { id: "refresh", title: "Look at what was changed by hand" }, () =>
        stack.refresh(desired),
      );
    }
    await takeReplicas(context, passed);
    const applied = await step(
      context.events,
      { id: "apply", title: "Apply the model with Pulumi" },
      () => stack.up(desired),
      ({ changes, same }) => `${changes.length} changed, ${same} unchanged`,
    );
    await giveUpReplicas(context, passed);
    return applied;
  });
}

/** Whether something that was there before is gone or scaled to nothing. */
async function hasDrifted(
  record: RolloutRecord,
  observation: Observation,
  { spec }: Desired,
  stack: Pick<ModelStack, "hasState">,
): Promise<boolean> {
  if (
    observation.ingress === undefined &&
    slots.every((slot) => observation.slots[slot].service === undefined)
  ) {
    // Nothing is there and nothing was: the first `up`. With a state, the namespace or the whole cluster was made anew.
    return record.history.length > 0 || (await stack.hasState());
  }
  return (
    observation.ingress === undefined ||
    slots.some((slot) => {
      const { service, deployment } = observation.slots[slot];
      if (service === undefined) return true;
      if (spec.slots[slot].image === undefined) return false;
      return (
        deployment === undefined || (deployment.desiredReplicas === 0 && record.settings.replicas[slot] > 0)
      );
    })
  );
}

function shouldWait({ desired }: PreparedUp, live: Slot): boolean {
  const { image, replicas } = desired.spec.slots[live];
  return image !== undefined && (replicas ?? 1) > 0;
}

/** Proves at the ingress that the live slot answers, as far as there is anybody to ask. */
export async function proveUp(
  context: RolloutContext,
  location: ModelLocation,
  plan: Pick<UpPlan, "record" | "routing">,
  seen?: Observation,
): Promise<{ proof: UpResult["proof"]; notes: Note[] }> {
  const observation = seen ?? (await observe(location));
  const { settings } = plan.record;
  const live = liveSlot(plan.routing);
  const readySlots = slots.filter((slot) => readiness(observation.slots[slot]).state === "ready");
  const skipped = (reason: string, notes: Note[] = []) => ({
    proof: { state: "skipped", reason } as const,
    notes,
  });
  if (!readySlots.includes(live)) {
    return skipped(`${live} has no ready pods yet`, [
      {
        code: "live-slot-empty",
        message: `${live} gets the traffic and has no ready pods: clients see errors until it does.`,
        hint: `Start pods with the labels ${labels(observation, live)}.`,
      },
    ]);
  }
  try {
    identityProbe(settings);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return skipped("nothing says how a slot is recognised", [asNote(error)]);
  }
  const notes: Note[] = [];
  const about = { settings, router: location.router, observation };
  const subject = await proofSubject(context, { ...about, readySlots }).catch(async (error: unknown) => {
    if (!(error instanceof UserError) || error.code !== "slots-indistinguishable") throw error;
    // It is the switch that needs to tell them apart; that the live slot answers can be proved all the same.
    notes.push({ ...asNote(error), message: `${error.message} A switch will be refused until they can be.` });
    return await proofSubject(context, { ...about, readySlots: [live] });
  });
  const verdict = await proveRouting(context, subject, plan.routing, {
    id: "prove",
    title: `Prove at the ingress that ${live} answers`,
    deadlineMs: context.config.deadlines.proofMs,
    signal: context.signal,
  });
  if (verdict.state === "open") {
    throw new UserError({
      code: "proof-failed",
      message: `The model is deployed and ${live} is ready, but the ingress does not show it:\n${verdict.missing.map((line) => `  ${line}`).join("\n")}`,
      hint: `Check that a controller for the class ${observation.ingress?.className ?? "of the Ingress"} runs and where it listens (ingress.endpoints in the config file).`,
      details: { evidence: verdict.evidence },
    });
  }
  if (verdict.evidence.probes === 0)
    return skipped(`no ready endpoint of ${live} is a pod that can be asked`, notes);
  const endpoints = subject.endpoints.map(({ url }) => url);
  return { proof: { state: "proved", probes: verdict.evidence.probes, endpoints }, notes };
}

function asNote(error: UserError): Note {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

function labels(observation: Observation, slot: Slot): string {
  const selector = Object.entries(observation.slots[slot].service?.selector ?? {});
  return selector.map(([key, value]) => `${key}=${value}`).join(",");
}
