import type { Slot } from "./slots.ts";

/** Names of a slot's objects that do not derive from the model's name, for example of adopted ones. */
export interface SlotNames {
  readonly deployment?: string;
  readonly service?: string;
  readonly autoscaler?: string;
}

/** Names that are given instead of derived. They never change after creation. */
export interface GivenNames {
  readonly slots?: Readonly<Partial<Record<Slot, SlotNames>>>;
  readonly ingress?: string | undefined;
  readonly canaryIngress?: string | undefined;
}

/** Deterministic names of everything a model owns: a killed run must not leave orphans. */
export interface ObjectNames {
  readonly deployment: Readonly<Record<Slot, string>>;
  readonly service: Readonly<Record<Slot, string>>;
  /** HorizontalPodAutoscalers; the Deployments' names where none are given. */
  readonly autoscaler: Readonly<Record<Slot, string>>;
  readonly ingress: string;
  readonly canaryIngress: string;
  /** What takes a share of the traffic, under a router whose share is an object of its own. */
  readonly shift: string;
  /** What takes requests with the preview header, under a router that needs an object for them. */
  readonly preview: string;
  /** The Service of both slots' pods, under a router that tells them apart by a label. */
  readonly union: string;
  /** The ConfigMap that holds the rollout record. */
  readonly record: string;
}

/** A model by its name, where all names derive from it, else the names of its objects. */
export type Named = string | ObjectNames;

export function objectNames(model: Named, given: GivenNames = {}): ObjectNames {
  if (typeof model !== "string") return model;
  const named = (kind: "deployment" | "service") => ({
    blue: given.slots?.blue?.[kind] ?? `${model}-blue`,
    green: given.slots?.green?.[kind] ?? `${model}-green`,
  });
  const deployment = named("deployment");
  return {
    deployment,
    service: named("service"),
    autoscaler: {
      blue: given.slots?.blue?.autoscaler ?? deployment.blue,
      green: given.slots?.green?.autoscaler ?? deployment.green,
    },
    ingress: given.ingress ?? model,
    canaryIngress: given.canaryIngress ?? `${model}-canary`,
    shift: `${model}-shift`,
    preview: `${model}-preview`,
    union: `${model}-union`,
    record: `${model}-modelswitch`,
  };
}

/** All names that a model's Ingresses may have, by its router. */
export function ingressNames({ ingress, canaryIngress, shift, preview }: ObjectNames): readonly string[] {
  return [ingress, canaryIngress, shift, preview];
}

/** Header that forces a request to the candidate (`always`) or to the main slot (`never`). */
export const defaultPreviewHeader = "X-Modelswitch-Preview";

/** RFC 1123 label, short enough that every derived name is a valid Service name (63 characters). */
export const modelNamePattern = /^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/;

export function slotLabels(model: string, slot: Slot): Record<string, string> {
  return { app: model, version: slot };
}

/** What a model's ingress says of names. */
interface IngressNames {
  readonly name?: string | undefined;
  readonly canaryName?: string | undefined;
}

/** The names that an ingress gives to the routing objects. */
export function givenBy({ name, canaryName }: IngressNames): Pick<GivenNames, "ingress" | "canaryIngress"> {
  return { ingress: name, canaryIngress: canaryName };
}

/** The names that a model's own description gives. */
export function namesOfModel(
  model: string,
  slots: Readonly<Record<Slot, SlotNames>>,
  ingress: IngressNames,
): ObjectNames {
  return objectNames(model, { slots, ...givenBy(ingress) });
}

export function ownLabels(model: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": model,
    "app.kubernetes.io/instance": model,
    "app.kubernetes.io/managed-by": "modelswitch",
  };
}

/** Label of a slot's Deployment: the number of the release that it runs. */
export const releaseLabel = "modelswitch.dev/release";

/** What answers of a pod have where the identity looks, where it cannot be asked. */
export const markAnnotation = "modelswitch.dev/mark";

/** Name of the model server's container. */
export const modelContainer = "model";

/** The names that the configuration gives to a model's objects. */
export function configuredNames(config: {
  readonly name: string;
  readonly runs: { readonly slots?: Partial<Record<Slot, SlotNames>> | undefined };
  readonly ingress: IngressNames;
}): ObjectNames {
  return objectNames(config.name, { slots: config.runs.slots ?? {}, ...givenBy(config.ingress) });
}
