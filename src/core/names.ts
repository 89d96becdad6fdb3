import type { Slot } from "./slots.ts";

/** Deterministic names of everything a model owns: a killed run must not leave orphans. */
export interface ObjectNames {
  readonly slot: Readonly<Record<Slot, string>>;
  readonly ingress: string;
  readonly canaryIngress: string;
  /** The ConfigMap that holds the rollout record. */
  readonly record: string;
}

export function objectNames(model: string): ObjectNames {
  return {
    slot: { blue: `${model}-blue`, green: `${model}-green` },
    ingress: model,
    canaryIngress: `${model}-canary`,
    record: `${model}-modelswitch`,
  };
}

/** Header that forces a request to the candidate (`always`) or to the main slot (`never`). */
export const defaultPreviewHeader = "X-Modelswitch-Preview";

/** RFC 1123 label, short enough that every derived name is a valid Service name (63 characters). */
export const modelNamePattern = /^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/;

export function slotLabels(model: string, slot: Slot): Record<string, string> {
  return { app: model, version: slot };
}

export function ownLabels(model: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": model,
    "app.kubernetes.io/instance": model,
    "app.kubernetes.io/managed-by": "modelswitch",
  };
}
