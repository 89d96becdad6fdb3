import { defaults } from "../../core/defaults.ts";
import { gatePhases } from "../../core/gates.ts";
import { leadsToModel } from "../../core/identity-path.ts";
import type { IngressSpec, ModelServer } from "../../core/model.ts";
import { type Gate, gateSettings, withAlpha } from "../../gates/kinds.ts";
import { resolveGate } from "./rollout-calls.ts";
import type { RolloutConfig } from "./rollout-types.ts";

/** The gates that are there by themselves, beside those that somebody wrote. */

/** What is known of a model beside its rollout, for gates that are there by themselves. */
export interface GatesAbout {
  /** Path of the model's metadata in Open Inference v2, as clients ask. @default not known */
  readonly smokePath?: string | undefined;
}

/** The gate that is there unless it is switched off: a pod may be unready for a moment, but not at two looks in a row. */
const podsGate: Gate = {
  kind: "pods",
  name: "pods",
  phases: gatePhases,
  everyMs: 2_000,
  failures: 2,
  onInconclusive: "hold",
};

/** All gates of a rollout, those among them that are there by themselves: `gates: []` leaves the pods' alone. */
export function resolveGates(
  {
    gates,
    watchPods = defaults.rollout.watchPods,
    watchTraffic = defaults.rollout.watchTraffic,
    alpha = defaults.rollout.alpha,
    steps,
    shadow,
  }: RolloutConfig,
  { smokePath }: GatesAbout = {},
): Gate[] {
  const written = (gates ?? []).map(resolveGate);
  const isOff = gates?.length === 0;
  const has = (kind: Gate["kind"]) => isOff || written.some((gate) => gate.kind === kind);
  const free = (name: string) => (written.some((gate) => gate.name === name) ? `${name}, by default` : name);
  const byItself = [
    ...(smokePath === undefined || has("smoke") ? [] : [smokeByItself(free("smoke"), smokePath)]),
    ...(watchTraffic && shadow !== undefined && !has("shadow") ? [shadowByItself(free("shadow"))] : []),
    ...(watchTraffic && !has("traffic") ? [trafficByItself(free("traffic"))] : []),
  ];
  const all = [...(watchPods ? [podsGate] : []), ...byItself, ...written];
  return withAlpha(all, alpha, steps !== undefined && !/^\s*100\s*%/.test(steps));
}

/** It lets the release go on with what it cannot show; that is said. */
const unasked = { failures: 1, onInconclusive: "pass", byDefault: true } as const;

/** Clients' requests in both slots, as whoever is found counts them. */
function trafficByItself(name: string): Gate {
  return {
    name,
    phases: ["shift"],
    everyMs: 5_000,
    ...unasked,
    ...gateSettings({ traffic: {} }, 5),
  };
}

/** Copies of clients' requests and their originals, as whoever is found counts them. */
function shadowByItself(name: string): Gate {
  return {
    name,
    phases: ["shadow"],
    everyMs: 5_000,
    ...unasked,
    ...gateSettings({ shadow: {} }, 5),
  };
}

/** Whether the release is ready and has the inputs and outputs of the live model, where that one answers the same question. */
function smokeByItself(name: string, path: string): Gate {
  return {
    name,
    phases: ["verify"],
    everyMs: 2_000,
    ...unasked,
    failures: 2,
    kind: "smoke",
    smoke: {
      path,
      schema: "unchanged",
      headers: {},
      insecure: false,
      unlessLiveFails: true,
      timeoutMs: 10_000,
    },
  };
}

/**
 * Where a release can be asked, before clients get to it, whether it is ready and what its inputs and outputs are; `undefined`: nowhere. Pure.
 */
export function smokePathOf({
  server,
  ingress,
  canPreview,
}: {
  readonly server: Pick<ModelServer, "protocol" | "identity" | "http">;
  readonly ingress: IngressSpec;
  readonly canPreview: boolean;
}): string | undefined {
  if (server.protocol !== "open-inference" || server.http === false || !canPreview) return undefined;
  if (ingress.protocol === "grpc" || ingress.protocol === "grpcs") return undefined;
  const path = server.identity?.path;
  if (path === undefined || !/^\/v2\/models\/[^/]+$/.test(path)) return undefined;
  return leadsToModel(ingress, path) ? path : undefined;
}
