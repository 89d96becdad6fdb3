import { createHash } from "node:crypto";
import type { SlotSpec } from "../../core/model.ts";
import type { EnvValue } from "../../core/release-contents.ts";
import { type Difference, differences } from "./differences.ts";
import type { ReleaseSpec, SlotScaling } from "./record.ts";

/** A Secret or ConfigMap that somebody else keeps, by which a release's versions name it. */
export type SourceName = `secret/${string}` | `configmap/${string}`;

/** What of a slot belongs to the release, with the versions of what it refers to as they are now. Pure. */
export function releaseSpecOf(
  slot: SlotSpec,
  present: Readonly<Record<string, string>>,
  former?: ReleaseSpec,
): ReleaseSpec {
  const {
    selector: _selector,
    release: _release,
    deployment: _deployment,
    service: _service,
    autoscaling: _autoscaling,
    disruptionBudget: _budget,
    ...spec
  } = slot;
  const { versions: given, ...rest } = spec;
  const versions = Object.fromEntries(
    sourcesOf(slot).flatMap((name) => {
      // Where they may not be read, nothing is known to have changed.
      const version = given?.[name] ?? present[name] ?? former?.versions?.[name];
      return version === undefined ? [] : [[name, version]];
    }),
  );
  const all = { ...given, ...versions };
  return Object.keys(all).length === 0 ? rest : { ...rest, versions: all };
}

/** The Secrets and ConfigMaps that a slot refers to, each once. */
export function sourcesOf(slot: Pick<SlotSpec, "env" | "secrets" | "model">): SourceName[] {
  const inEnv = (env: Readonly<Record<string, EnvValue>> | undefined): SourceName[] =>
    Object.values(env ?? {}).flatMap((value) =>
      typeof value === "string"
        ? []
        : "secret" in value
          ? [`secret/${value.secret}` as const]
          : [`configmap/${value.configMap}` as const],
    );
  const mounted = (slot.secrets ?? []).map(({ secret }) => `secret/${secret}` as const);
  return [...new Set([...inEnv(slot.env), ...mounted, ...inEnv(slot.model?.fetcher?.env)])].toSorted();
}

/** Those without which no pod starts. */
export function requiredSourcesOf(slot: Pick<SlotSpec, "env" | "secrets" | "model">): SourceName[] {
  const required = (env: Readonly<Record<string, EnvValue>> | undefined) =>
    Object.fromEntries(
      Object.entries(env ?? {}).filter(([, value]) => typeof value === "string" || value.optional !== true),
    );
  const { model } = slot;
  return sourcesOf({
    ...slot,
    env: required(slot.env),
    ...(model?.fetcher?.env === undefined
      ? {}
      : { model: { ...model, fetcher: { ...model.fetcher, env: required(model.fetcher.env) } } }),
  });
}

/** How two releases differ in what the pods run. How many there are is no part of it. */
export function releaseDifferences(before: ReleaseSpec, after: ReleaseSpec): Difference[] {
  return differences(comparable(before), comparable(after), ["replicas"]).map((difference) => {
    const name = /^versions\.(.*)$/s.exec(difference.path)?.[1];
    return name === undefined ? difference : { ...difference, text: `${name}: another version` };
  });
}

/** Whether nothing but the contents of Secrets and ConfigMaps that somebody else keeps has changed. */
export function isOnlyVersions(changes: readonly Difference[]): boolean {
  return changes.length > 0 && changes.every(({ path }) => path.startsWith("versions."));
}

/** Files by their digest: a difference is told in one line. */
function comparable({ configFiles, ...spec }: ReleaseSpec): Readonly<Record<string, unknown>> {
  if (configFiles === undefined) return spec;
  return {
    ...spec,
    configFiles: Object.fromEntries(
      Object.entries(configFiles).map(([path, contents]) => {
        const digest = createHash("sha256").update(contents).digest("hex").slice(0, 10);
        return [path, `${Buffer.byteLength(contents)} bytes, sha256 ${digest}…`];
      }),
    ),
  };
}

/** What of a slot says how many replicas there are. */
export function scalingOf({ autoscaling, disruptionBudget }: SlotSpec): SlotScaling | undefined {
  if (autoscaling === undefined && disruptionBudget === undefined) return undefined;
  return {
    ...(autoscaling === undefined ? {} : { autoscaling }),
    ...(disruptionBudget === undefined ? {} : { disruptionBudget }),
  };
}

/** The fewest replicas that a slot is declared to have. */
export function declaredReplicas({ replicas, autoscaling }: SlotSpec): number {
  return autoscaling?.min ?? replicas ?? 1;
}

/** The number of replicas that writing a slot's settings makes of those there are: an autoscaler keeps what is within its range. */
export function replicasAfter(declared: number, scaling: SlotScaling | undefined, present: number): number {
  if (scaling?.autoscaling === undefined || declared === 0) return declared;
  return Math.min(Math.max(declared, present), scaling.autoscaling.max);
}
