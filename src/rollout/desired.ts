import { requireGrpcIdentity } from "../component/service-port.ts";
import type { ResolvedConfig } from "../config/types.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import type { AdoptedModel, ModelServer, ModelSpec, SlotSpec } from "../core/model.ts";
import { liveSlot, type Routing, settledOn, splitOf } from "../core/routing.ts";
import { otherSlot, type Slot, slots } from "../core/slots.ts";
import { type Adoption, adoptedModel } from "./adoption/adoption.ts";
import { requireAdopted, withoutLostTemplate } from "./adoption/guard.ts";
import { type Difference, differences } from "./differences.ts";
import type { Observation } from "./observation.ts";
import {
  type AppliedSettings,
  nextReleaseNumber,
  type ReleaseRecord,
  type ReleaseSpec,
  type RolloutRecord,
  releaseOf,
  type SlotScaling,
} from "./record.ts";
import { recordVersion } from "./record-upgrades.ts";
import {
  declaredReplicas,
  isOnlyVersions,
  releaseDifferences,
  releaseSpecOf,
  replicasAfter,
  scalingOf,
} from "./release-spec.ts";

export interface PlanInput {
  readonly config: ResolvedConfig;
  readonly record: RolloutRecord | undefined;
  readonly observation: Observation;
  /** ISO 8601. */
  readonly now: string;
  readonly by: string;
  /** Versions of the Secrets and ConfigMaps that are referred to, as they are now. @default none */
  readonly versions?: Readonly<Record<string, string>>;
  /** The user said so: `up` may change what a live slot runs. */
  readonly allowLiveChange: boolean;
  /** The user said so: `up` may scale the live slot down, also to nothing. */
  readonly allowLiveStop: boolean;
  /** Objects that are taken over right now. */
  readonly adopting?: Adoption;
}

export interface Note {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What `up` is about to make true. */
export interface UpPlan {
  readonly record: RolloutRecord;
  readonly routing: Routing;
  readonly notes: readonly Note[];
}

/**
 * What `up` should make of the configuration, the record and what the cluster says. Traffic stays where it is. What a
 * slot that carries traffic runs is only changed where the user says so.
 * @throws UserError `not-adopted`, `adoption-unfinished`, `names-changed`, `live-change-refused`, `live-stop-refused`, `selector-changed`, `router-changed-mid-switch` (exit code 2)
 */
export function planUp(input: PlanInput): UpPlan {
  const { config, record, observation } = input;
  // An Ingress that somebody deleted comes back as the last switch left it: only a switch moves traffic.
  const routing = observation.routing ?? settledOn(record?.history.at(-1)?.to ?? config.initialLive);
  const live = liveSlot(routing);
  const notes: Note[] = [];
  const carries = (slot: Slot) => observation.routing !== undefined && splitOf(routing)[slot] > 0;

  if (input.adopting === undefined) requireAdopted(config, record, observation);
  refuseSelectorChange(config, observation);
  if (record !== undefined && record.settings.router !== config.router && !isSettled(routing)) {
    throw new UserError({
      code: "router-changed-mid-switch",
      message: `The router changes from ${record.settings.router} to ${config.router} while a switch is unfinished.`,
      hint: `Finish it with \`modelswitch switch ${live}\`, then run \`modelswitch up\` again.`,
      exitCode: exitCodes.usage,
    });
  }

  requireGrpcIdentity(config.ingress.protocol, config.server, config.identity ?? config.server.identity);
  refuseProtocolChange(input, live);
  refusePortChange(input, live);
  const server = plannedServer(input, routing, notes);
  const planned =
    config.runs.form === "slots"
      ? planSlots(input, config.runs.slots, carries, notes)
      : planTemplate(input, config.runs, live, carries, notes);

  for (const slot of slots) {
    const before = observation.slots[slot].deployment?.desiredReplicas ?? 0;
    const wanted = replicasAfter(planned.replicas[slot], planned.scaling[slot], before);
    if (carries(slot) && wanted < before && !input.allowLiveStop) {
      throw new UserError({
        code: "live-stop-refused",
        message: `${config.file} gives ${slot} ${wanted} of now ${before} replicas, and ${slot} carries ${splitOf(routing)[slot]} % of the traffic of ${config.name}.`,
        hint: `Move the traffic first (\`modelswitch switch ${otherSlot(slot)}\`), or pass --allow-live-stop to scale it down on purpose${wanted === 0 ? ": that interrupts the service" : ""}.`,
        exitCode: exitCodes.usage,
      });
    }
  }

  const settings: AppliedSettings = {
    server,
    ingress: config.ingress,
    router: config.router,
    previewHeader: config.previewHeader,
    identity: config.identity,
    replicas: planned.replicas,
    ...(Object.keys(planned.scaling).length === 0 ? {} : { scaling: planned.scaling }),
    selectors: config.runs.form === "slots" ? selectorsOf(config.runs.slots) : {},
    names: config.runs.form === "slots" ? slotNamesOf(config.runs.slots) : {},
    servicePort: config.servicePort,
  };
  const adoption = input.adopting ?? record?.adoption;
  const next: RolloutRecord = {
    schemaVersion: recordVersion,
    model: config.name,
    environment: config.environment ?? null,
    releases: planned.releases,
    slots: planned.slots,
    settings,
    applying: true,
    history: record?.history ?? [],
    ...(record?.rollout === undefined ? {} : { rollout: record.rollout }),
    ...(record?.rollouts === undefined ? {} : { rollouts: record.rollouts }),
    ...(adoption === undefined ? {} : { adoption }),
  };
  return { record: withoutLostTemplate(next, observation), routing, notes };
}

function isSettled(routing: Routing): boolean {
  return routing.weight === 0 && routing.main !== routing.candidate;
}

interface PlannedSlots {
  readonly releases: readonly ReleaseRecord[];
  readonly slots: Readonly<Record<Slot, number | null>>;
  readonly replicas: Readonly<Record<Slot, number>>;
  readonly scaling: Readonly<Partial<Record<Slot, SlotScaling>>>;
}

/** Both slots run what the configuration names; a slot whose spec changed gets a new release. */
function planSlots(
  input: PlanInput,
  wanted: Readonly<Record<Slot, SlotSpec>>,
  carries: (slot: Slot) => boolean,
  notes: Note[],
): PlannedSlots {
  const { config, record, now, by } = input;
  const releases = [...(record?.releases ?? [])];
  const numbers: Record<Slot, number | null> = { blue: null, green: null };
  for (const slot of slots) {
    const former = record === undefined ? undefined : releaseOf(record, slot);
    const spec = releaseSpecOf(wanted[slot], input.versions ?? {}, former?.spec);
    const changes =
      former === undefined ? unrecorded(input, slot, spec) : releaseDifferences(former.spec, spec);
    if (former !== undefined && isOnlyVersions(changes) && carries(slot) && !input.allowLiveChange) {
      numbers[slot] = former.number;
      notes.push(versionsDiffer(former, slot, changes));
      continue;
    }
    if (changes.length > 0 && carries(slot) && !input.allowLiveChange)
      throw liveChangeRefused(config, slot, changes);
    if (former !== undefined && changes.length === 0) {
      numbers[slot] = former.number;
      releases[releases.indexOf(former)] = { ...former, spec };
    } else {
      const number = Math.max(nextReleaseNumber(record), ...releases.map((release) => release.number + 1));
      releases.push({ number, slot, spec, createdAt: now, by });
      numbers[slot] = number;
    }
  }
  return {
    releases,
    slots: numbers,
    replicas: { blue: declaredReplicas(wanted.blue), green: declaredReplicas(wanted.green) },
    scaling: scalings((slot) => scalingOf(wanted[slot])),
  };
}

/**
 * The template makes release 1 in the initial slot and after that only the number of replicas follows it. The slot that has no
 * release is an identical environment: the same Deployment at `idleReplicas`.
 */
function planTemplate(
  input: PlanInput,
  runs: Extract<ResolvedConfig["runs"], { form: "template" }>,
  live: Slot,
  carries: (slot: Slot) => boolean,
  notes: Note[],
): PlannedSlots {
  const { config, record, now, by } = input;
  const former = record === undefined ? undefined : releaseOf(record, live);
  const template = releaseSpecOf(runs.release, input.versions ?? {}, former?.spec);
  const size = declaredReplicas(runs.release);
  const replicas: Record<Slot, number> = { blue: runs.idleReplicas, green: runs.idleReplicas };
  if (record === undefined || former === undefined) {
    const changes = unrecorded(input, live, template);
    if (changes.length > 0 && carries(live) && !input.allowLiveChange)
      throw liveChangeRefused(config, live, changes);
    const number = nextReleaseNumber(record);
    replicas[live] = size;
    const kept = record?.slots[otherSlot(live)] ?? null;
    if (kept !== null) replicas[otherSlot(live)] = size;
    return {
      scaling: scalings((slot) => (slot === live || kept !== null ? scalingOf(runs.release) : undefined)),
      releases: [...(record?.releases ?? []), { number, slot: live, spec: template, createdAt: now, by }],
      slots: slotNumbers(live, number, kept),
      replicas,
    };
  }

  const releases = [...record.releases];
  const numbers: Record<Slot, number | null> = { ...record.slots };
  for (const slot of slots) {
    // A slot that a release was put into keeps its size, for it may have to take the traffic back; one that was scaled down
    // since then stays so.
    const inUse = slot === live || record.settings.replicas[slot] > runs.idleReplicas;
    if (record.slots[slot] !== null && inUse) replicas[slot] = size;
  }
  const scaling = scalings((slot) => (record.slots[slot] === null ? undefined : scalingOf(runs.release)));
  const changes = releaseDifferences(former.spec, template);
  if (changes.length > 0 && input.allowLiveChange) {
    const number = nextReleaseNumber(record);
    releases.push({ number, slot: live, spec: template, createdAt: now, by });
    numbers[live] = number;
  } else if (isOnlyVersions(changes)) {
    notes.push(versionsDiffer(former, live, changes));
  } else if (changes.length > 0) {
    notes.push({
      code: "template-differs",
      message: `The template differs from release ${former.number}, which ${live} runs and goes on running: ${changes.map(({ text }) => text).join("; ")}. A release would put it into ${otherSlot(live)}.`,
      hint: "--allow-live-change would change the live slot itself, without a proof before it takes traffic.",
    });
  }
  return { releases, slots: numbers, replicas, scaling };
}

function scalings(of: (slot: Slot) => SlotScaling | undefined): Partial<Record<Slot, SlotScaling>> {
  return Object.fromEntries(
    slots.flatMap((slot) => {
      const scaling = of(slot);
      return scaling === undefined ? [] : [[slot, scaling]];
    }),
  );
}

/** Nobody changed the configuration: what somebody else keeps has changed, which only another release may take up. */
function versionsDiffer(former: ReleaseRecord, slot: Slot, changes: readonly Difference[]): Note {
  const names = changes.map(({ path }) => path.slice("versions.".length));
  return {
    code: "versions-differ",
    message: `${names.join(", ")} changed since release ${former.number}, which ${slot} runs: its pods keep what they started with, and take up the change when they are restarted.`,
    hint: `Let ${otherSlot(slot)} run the change and switch to it; --allow-live-change restarts the pods of ${slot} now. Secrets that get a new name for each version avoid both.`,
  };
}

function slotNumbers(slot: Slot, number: number, other: number | null): Record<Slot, number | null> {
  return slot === "blue" ? { blue: number, green: other } : { blue: other, green: number };
}

/** How the wanted spec differs from what a slot runs of which the record knows nothing. */
function unrecorded(input: PlanInput, slot: Slot, spec: ReleaseSpec): Difference[] {
  const running = input.observation.slots[slot].deployment?.image;
  if (running === undefined || running === spec.image) return [];
  return differences({ image: running }, { ...(spec.image === undefined ? {} : { image: spec.image }) }, []);
}

function liveChangeRefused(config: ResolvedConfig, slot: Slot, changes: readonly Difference[]): UserError {
  return new UserError({
    code: "live-change-refused",
    message: [
      `${config.file} changes what ${slot} runs, and ${slot} carries the traffic of ${config.name}:`,
      ...changes.map(({ text }) => `  ${text}`),
    ].join("\n"),
    hint: `Make the change in ${otherSlot(slot)} and switch to it, or pass --allow-live-change to change the live slot in place.`,
    exitCode: exitCodes.usage,
    details: { slot, differences: changes },
  });
}

type ServerFact = "name" | "identity" | "keepAliveSeconds" | "protocol" | "metrics" | "draining";

/** The parts of a model server's settings that are part of the pods. */
export function podSettings(server: ModelServer): Omit<ModelServer, ServerFact> {
  return splitSettings(server).pods;
}

/** The others only tell how to see and reach the server: they change without a change of a pod. */
function splitSettings(server: ModelServer): {
  readonly pods: Omit<ModelServer, ServerFact>;
  readonly facts: Pick<ModelServer, ServerFact>;
} {
  const { name, identity, keepAliveSeconds, protocol, metrics, draining, ...pods } = server;
  return { pods, facts: { name, identity, keepAliveSeconds, protocol, metrics, draining } };
}

/** The server's settings are in the pods of both slots: a change of them is a change of what the live slot runs. */
function plannedServer(input: PlanInput, routing: Routing, notes: Note[]): ModelServer {
  const { config, record, observation } = input;
  if (record === undefined || observation.routing === undefined || input.allowLiveChange)
    return config.server;
  const live = liveSlot(routing);
  if (observation.slots[live].deployment === undefined) return config.server;
  // Adopted pods keep their own template, whatever the settings are.
  if (isAsFound(record, live)) return config.server;
  const changes = differences(podSettings(record.settings.server), podSettings(config.server), []);
  if (changes.length === 0) return config.server;
  const named = changes.map((change) => ({ ...change, text: `server.${change.text}` }));
  if (config.runs.form === "slots") throw liveChangeRefused(config, live, named);
  notes.push({
    code: "server-differs",
    message: `The model server's settings differ from what ${live} runs and goes on running: ${named.map(({ text }) => text).join("; ")}.`,
    hint: "--allow-live-change applies them to the live slot too, by a rolling update.",
  });
  return { ...splitSettings(record.settings.server).pods, ...splitSettings(config.server).facts };
}

/** Services and the Ingress can't be changed in one instant: under traffic, requests would fail in between. */
function refuseProtocolChange({ config, record, observation, allowLiveChange }: PlanInput, live: Slot): void {
  if (record === undefined || observation.routing === undefined || allowLiveChange) return;
  const before = record.settings.ingress.protocol ?? "http";
  const after = config.ingress.protocol ?? "http";
  if (before === after) return;
  throw new UserError({
    code: "live-change-refused",
    message: `${config.file} changes ingress.protocol from ${before} to ${after}, and ${live} carries the traffic of ${config.name}: requests would fail until the Services and the Ingress both say so.`,
    hint: "Give the model another name and host to start with the other protocol beside this one, or pass --allow-live-change.",
    exitCode: exitCodes.usage,
  });
}

/** Whether a slot runs the pods that were adopted. */
function isAsFound({ adoption, slots: runs }: RolloutRecord, slot: Slot): boolean {
  return adoption !== undefined && adoption.slot === slot && runs[slot] === adoption.release;
}

/** Services and the Ingress cannot change their port at the same instant. */
function refusePortChange({ config, record, observation, allowLiveChange }: PlanInput, live: Slot): void {
  if (record === undefined || observation.routing === undefined || allowLiveChange) return;
  const changes = differences(
    { servicePort: record.settings.servicePort ?? 80 },
    { servicePort: config.servicePort },
    [],
  );
  if (changes.length > 0) throw liveChangeRefused(config, live, changes);
}

function refuseSelectorChange(config: ResolvedConfig, observation: Observation): void {
  for (const slot of slots) {
    const present = observation.slots[slot].service?.selector;
    const wanted = config.runs.form === "slots" ? config.runs.slots[slot].selector : undefined;
    const selector = wanted ?? { app: config.name, version: slot };
    if (present === undefined) continue;
    const changes = differences(present, selector, []);
    if (changes.length === 0) continue;
    throw new UserError({
      code: "selector-changed",
      message: `The selector of ${slot} never changes after creation, and ${config.file} asks for another one: ${changes.map(({ text }) => text).join("; ")}.`,
      hint: "Give the model another name to start with other selectors beside it, or `modelswitch destroy` this one first.",
      exitCode: exitCodes.usage,
      details: { slot, differences: changes },
    });
  }
}

function slotNamesOf(wanted: Readonly<Record<Slot, SlotSpec>>): NonNullable<AppliedSettings["names"]> {
  const of = ({ deployment, service }: SlotSpec) =>
    deployment === undefined && service === undefined
      ? undefined
      : {
          ...(deployment === undefined ? {} : { deployment }),
          ...(service === undefined ? {} : { service }),
        };
  const [blue, green] = [of(wanted.blue), of(wanted.green)];
  return { ...(blue === undefined ? {} : { blue }), ...(green === undefined ? {} : { green }) };
}

function selectorsOf(wanted: Readonly<Record<Slot, SlotSpec>>): AppliedSettings["selectors"] {
  return {
    ...(wanted.blue.selector === undefined ? {} : { blue: wanted.blue.selector }),
    ...(wanted.green.selector === undefined ? {} : { green: wanted.green.selector }),
  };
}

/** The model that the record describes: what the component is asked for. */
export function modelSpec(
  record: RolloutRecord,
  namespace: string,
  phase: AdoptedModel["phase"] = "keep",
): ModelSpec {
  const { settings, adoption } = record;
  const slot = (name: Slot): SlotSpec => {
    // A slot without a release is an identical environment: it has what the other slot runs.
    const release = releaseOf(record, name) ?? releaseOf(record, otherSlot(name));
    const selector = settings.selectors[name];
    const { replicas: _replicas, ...spec } = release?.spec ?? {};
    return {
      ...spec,
      ...sizeOf(settings.replicas[name], settings.scaling?.[name]),
      ...(selector === undefined ? {} : { selector }),
      ...(release === undefined ? {} : { release: release.number }),
      // What a release runs does not change with the version of modelswitch.
      ...(release?.podDefaults === undefined ? {} : { podDefaults: release.podDefaults }),
      ...settings.names?.[name],
    };
  };
  return {
    name: record.model,
    namespace,
    server: settings.server,
    slots: { blue: slot("blue"), green: slot("green") },
    ingress: settings.ingress,
    router: settings.router,
    previewHeader: settings.previewHeader,
    identity: settings.identity ?? settings.server.identity,
    servicePort: settings.servicePort ?? 80,
    ...(adoption === undefined
      ? {}
      : { adopted: adoptedModel(adoption, phase, record.slots[adoption.slot]) }),
  };
}

/** An autoscaled slot has no number of its own; while it is empty, it has. */
function sizeOf(replicas: number, scaling: SlotScaling | undefined): Partial<SlotSpec> {
  const { autoscaling, ...rest } = scaling ?? {};
  if (autoscaling === undefined) return { ...rest, replicas };
  if (replicas === 0) return { ...rest, replicas: 0 };
  return { ...rest, autoscaling: { ...autoscaling, min: replicas } };
}
