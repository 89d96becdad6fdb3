import type { IdentityProbe } from "../../core/identity.ts";
import type { Migration } from "../../core/migration.ts";
import type { IngressSpec, ModelServer, PodDefaults, SlotSpec } from "../../core/model.ts";
import { type ObjectNames, objectNames, type SlotNames } from "../../core/names.ts";
import type { ServiceSettings } from "../../core/release-contents.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { Slot } from "../../core/slots.ts";
import type { RoutingOptions } from "../../core/testers.ts";
import type { Adoption } from "./adoption.ts";
import type { recordVersion } from "./record-upgrades.ts";
import { boundedOutcomes, type RolloutOutcomeRecord, type RolloutRecordEntry } from "./rollouts.ts";

/** What a release runs: a slot's spec without the parts that belong to the slot itself. */
export type ReleaseSpec = Omit<
  SlotSpec,
  "selector" | "release" | "deployment" | "service" | "autoscaler" | "autoscaling" | "disruptionBudget"
>;

/** How a slot's number of replicas is kept, where it is not a fixed one. */
export type SlotScaling = Pick<SlotSpec, "autoscaling" | "disruptionBudget">;

export interface ReleaseRecord {
  /** Counts up from 1 over both slots. */
  readonly number: number;
  readonly slot: Slot;
  readonly spec: ReleaseSpec;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Who made it, `user@host`. */
  readonly by: string;
  /** The image that its pods were first seen to run, as the node names it: mostly with its digest. */
  readonly imageId?: string;
  /** ISO 8601; when `up` first saw it carry traffic. Rollouts and switches are remembered where they are. */
  readonly liveSince?: string;
  /** The version that made it, where pods of this version have something more: its own stay as they are. */
  readonly podDefaults?: PodDefaults;
}

export interface SwitchRecord {
  readonly at: string;
  readonly from: Slot;
  readonly to: Slot;
  readonly by: string;
  readonly durationMs: number;
}

/** Settings of the model that were last applied; a switch uses these, so that it changes nothing but traffic. */
export interface AppliedSettings {
  readonly server: ModelServer;
  readonly ingress: IngressSpec;
  readonly router: RouterName;
  readonly previewHeader: string;
  readonly identity: IdentityProbe | undefined;
  /** Replicas per slot, where there are Deployments; the fewest, where an autoscaler sizes it. */
  readonly replicas: Readonly<Record<Slot, number>>;
  /** Autoscalers and disruption budgets, where there are any. */
  readonly scaling?: Readonly<Partial<Record<Slot, SlotScaling>>>;
  /** Selectors that replace the default ones. */
  readonly selectors: Readonly<Partial<Record<Slot, Readonly<Record<string, string>>>>>;
  /** Names of the slots' objects that do not derive from the model's. @default all derive */
  readonly names?: Readonly<Partial<Record<Slot, SlotNames>>> | undefined;
  /** @default 80 */
  readonly servicePort?: number | undefined;
  /** @default none */
  readonly service?: ServiceSettings | undefined;
  /** Testers, and whether clients stay where they are. @default neither */
  readonly routing?: RoutingOptions | undefined;
  /** Where the ingress listens, as the configuration says: whoever has none has to ask there, too. @default as the cluster says */
  readonly endpoints?: readonly string[] | undefined;
}

/** Where Pulumi's state of a model is. */
export interface StateRecord {
  readonly project: string;
  readonly stack: string;
  /** URL of the backend, without credentials; `null`: in Secrets beside the model. */
  readonly backend: string | null;
}

/**
 * The memory of a model, in one ConfigMap beside it, so that any machine that reaches the cluster sees it.
 * It never says which slot is live: the routing objects do.
 */
export interface RolloutRecord {
  readonly schemaVersion: typeof recordVersion;
  readonly model: string;
  /** Environment of the configuration file that the model belongs to; `null`: the file had none. */
  readonly environment: string | null;
  readonly releases: readonly ReleaseRecord[];
  /** Release per slot; `null`: no release was put into it. */
  readonly slots: Readonly<Record<Slot, number | null>>;
  readonly settings: AppliedSettings;
  /** A command wrote what it was about to apply and did not say that it finished. */
  readonly applying: boolean;
  /** Switches, newest last. */
  readonly history: readonly SwitchRecord[];
  /** The rollout in progress, or the last one. */
  readonly rollout?: RolloutRecordEntry | undefined;
  /** Rollouts that ended, newest last. */
  readonly rollouts?: readonly RolloutOutcomeRecord[] | undefined;
  /** Where Pulumi's state is, where more than one machine can reach it. */
  readonly state?: StateRecord | undefined;
  /** Objects that existed before the model and became its slot. */
  readonly adoption?: Adoption | undefined;
  /** The model is on its way from one router to another. */
  readonly migration?: Migration | undefined;
}

/** The names of a recorded model's objects. */
export function namesOfRecord(record: RolloutRecord): ObjectNames {
  const { names, ingress } = record.settings;
  return objectNames(record.model, {
    slots: names ?? {},
    ingress: ingress.name,
    canaryIngress: ingress.canaryName,
  });
}

const keptHistory = 50;
const keptReleases = 50;

/** The spec of the release that a slot runs. */
export function releaseOf(record: RolloutRecord, slot: Slot): ReleaseRecord | undefined {
  const number = record.slots[slot];
  return number === null ? undefined : record.releases.find((release) => release.number === number);
}

export function nextReleaseNumber(record: RolloutRecord | undefined): number {
  return Math.max(0, ...(record?.releases ?? []).map((release) => release.number)) + 1;
}

/** Keeps the record small: ConfigMaps hold 1 MiB. Releases that a slot runs always stay. */
export function bounded(record: RolloutRecord): RolloutRecord {
  const running = new Set([record.slots.blue, record.slots.green]);
  const drop = Math.max(0, record.releases.length - keptReleases);
  return {
    ...record,
    releases: record.releases.filter((release, index) => index >= drop || running.has(release.number)),
    history: record.history.slice(-keptHistory),
    ...(record.rollouts === undefined ? {} : { rollouts: boundedOutcomes(record.rollouts) }),
  };
}
