import { requireGrpcIdentity } from "../../component/service-port.ts";
import type { SlotOnly } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { besidesOf } from "../../core/migration.ts";
import type { AdoptedModel, ModelSpec, SlotSpec } from "../../core/model.ts";
import type { Note } from "../../core/note.ts";
import { liveSlot, type Routing, settledOn, splitOf } from "../../core/routing.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import { requireAdopted, withoutLostTemplate } from "../context/adoption-guard.ts";
import { adoptedModel } from "../record/adoption.ts";
import { type AppliedSettings, type RolloutRecord, releaseOf, type SlotScaling } from "../record/record.ts";
import { recordVersion } from "../record/record-upgrades.ts";
import { declaredReplicas, replicasAfter, scalingOf } from "../record/release-spec.ts";
import type { PlanInput } from "./plan-input.ts";
import {
  refuseOtherRouter,
  refusePatternsAsText,
  refusePortChange,
  refuseProtocolChange,
  refuseSelectorChange,
  requireAskable,
} from "./plan-refusals.ts";
import { plannedServer } from "./planned-server.ts";
import { planSlots, planTemplate } from "./planned-slots.ts";
import { realShareNotes } from "./real-shares.ts";
import { requireSayable } from "./require-sayable.ts";
import { targetReplicas } from "./rollout-plan.ts";

/** What `up` is about to make true. */
export interface UpPlan {
  readonly record: RolloutRecord;
  readonly routing: Routing;
  readonly notes: readonly Note[];
}

/**
 * What `up` should make of the configuration, the record and what the cluster says. Traffic stays where it is. What a
 * slot that carries traffic runs is only changed where the user says so.
 * @throws UserError `not-adopted`, `adoption-unfinished`, `names-changed`, `identity-path-outside`, `live-change-refused`, `live-stop-refused`, `selector-changed`, `router-changed-mid-switch`, `router-changed-live` (exit code 2)
 */
export function planUp(input: PlanInput): UpPlan {
  const { config, record, observation } = input;
  // An Ingress that somebody deleted comes back as the last switch left it: only a switch moves traffic.
  const routing = observation.routing ?? settledOn(record?.history.at(-1)?.to ?? config.initialLive);
  const live = liveSlot(routing);
  const notes: Note[] = [];
  const carries = (slot: Slot) => observation.routing !== undefined && splitOf(routing)[slot] > 0;

  if (record !== undefined && record.settings.router !== config.router && !isSettled(routing)) {
    throw new UserError({
      code: "router-changed-mid-switch",
      message: `The router changes from ${record.settings.router} to ${config.router} while a switch is unfinished.`,
      hint: `Finish it with \`modelswitch switch ${live}\`, then run \`modelswitch up\` again.`,
      exitCode: exitCodes.usage,
    });
  }

  refuseOtherRouter(input);
  if (input.adopting === undefined) requireAdopted(config, record, observation);
  refuseSelectorChange(config, observation);
  requireGrpcIdentity(config.ingress.protocol, config.server, config.identity ?? config.server.identity);
  requireAskable(config);
  refusePatternsAsText(input);
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
        hint: `Move the traffic first (\`modelswitch ${config.runs.form === "template" ? "release" : `switch ${otherSlot(slot)}`}\`), or pass --allow-live-stop to scale it down on purpose${wanted === 0 ? ": that interrupts the service" : ""}.`,
        exitCode: exitCodes.usage,
      });
    }
  }

  if (config.runs.form === "template") {
    const present = Math.max(
      planned.replicas[live],
      observation.slots[live].deployment?.desiredReplicas ?? 0,
    );
    const next = targetReplicas(
      declaredReplicas(config.runs.release),
      present,
      scalingOf(config.runs.release),
    );
    notes.push(...realShareNotes(config, live, { live: present, next }));
  }

  // Everybody who looks at the model reads the record.
  const endpoints = config.endpoints.filter((address) => new URL(address).username === "");
  const settings: AppliedSettings = {
    server,
    ingress: config.ingress,
    router: config.router,
    previewHeader: config.previewHeader,
    identity: config.identity,
    replicas: planned.replicas,
    ...(Object.keys(planned.scaling).length === 0 ? {} : { scaling: planned.scaling }),
    selectors: config.runs.slots === undefined ? {} : selectorsOf(config.runs.slots),
    names: config.runs.slots === undefined ? {} : slotNamesOf(config.runs.slots),
    servicePort: config.servicePort,
    ...(config.service === undefined ? {} : { service: config.service }),
    ...(config.routing === undefined ? {} : { routing: config.routing }),
    ...(endpoints.length === 0 ? {} : { endpoints }),
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
    ...(record?.state === undefined ? {} : { state: record.state }),
    ...(record?.migration === undefined ? {} : { migration: record.migration }),
    ...(adoption === undefined ? {} : { adoption }),
  };
  if (config.routing !== undefined) requireSayable(modelSpec(next, config.namespace ?? ""), config.routing);
  return { record: withoutLostTemplate(next, observation), routing, notes };
}

function isSettled(routing: Routing): boolean {
  return routing.weight === 0 && routing.main !== routing.candidate;
}

function slotNamesOf(wanted: Readonly<Record<Slot, SlotOnly>>): NonNullable<AppliedSettings["names"]> {
  const of = ({ deployment, service, autoscaler }: SlotOnly) =>
    deployment === undefined && service === undefined && autoscaler === undefined
      ? undefined
      : {
          ...(deployment === undefined ? {} : { deployment }),
          ...(service === undefined ? {} : { service }),
          ...(autoscaler === undefined ? {} : { autoscaler }),
        };
  const [blue, green] = [of(wanted.blue), of(wanted.green)];
  return { ...(blue === undefined ? {} : { blue }), ...(green === undefined ? {} : { green }) };
}

function selectorsOf(wanted: Readonly<Record<Slot, SlotOnly>>): AppliedSettings["selectors"] {
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
  const besides = besidesOf(record.migration);
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
    ...(settings.routing?.testers === undefined ? {} : { testers: settings.routing.testers }),
    identity: settings.identity ?? settings.server.identity,
    servicePort: settings.servicePort ?? defaults.servicePort,
    ...(settings.service === undefined ? {} : { service: settings.service }),
    ...(adoption === undefined
      ? {}
      : { adopted: adoptedModel(adoption, phase, record.slots[adoption.slot]) }),
    ...(besides.length === 0 ? {} : { besides }),
  };
}

/** An autoscaled slot has no number of its own; while it is empty, it has. */
function sizeOf(replicas: number, scaling: SlotScaling | undefined): Partial<SlotSpec> {
  const { autoscaling, ...rest } = scaling ?? {};
  if (autoscaling === undefined) return { ...rest, replicas };
  if (replicas === 0) return { ...rest, replicas: 0 };
  return { ...rest, autoscaling: { ...autoscaling, min: replicas } };
}
