import { disruptionBudgetSpec } from "../../component/disruption.ts";
import { configMaps } from "../../component/pod/config-files.ts";
import { routingKinds } from "../../component/routers/factory.ts";
import { serviceKind } from "../../component/routers/service-object.ts";
import { routerOf } from "../../component/routers/together.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel } from "../../core/names.ts";
import { type ObjectKind, objectPath as pathOf, pulumiType } from "../../core/object-kind.ts";
import type { Slot } from "../../core/slots.ts";
import { slots } from "../../core/slots.ts";

/** The kinds of which slots are made. */
const slotKinds = {
  ConfigMap: { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps" },
  Service: serviceKind,
  Deployment: { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" },
  HorizontalPodAutoscaler: {
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
  },
  PodDisruptionBudget: {
    group: "policy",
    version: "v1",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
  },
} as const satisfies Readonly<Record<string, ObjectKind>>;

/** One object that a model consists of. The resource of the program has the object's name. */
export interface DeclaredObject {
  /** The name of a kind that `knownKind` knows. */
  readonly kind: string;
  readonly name: string;
}

/** A kind that a model's objects may have, by its name: one of its slots, or of the routers. */
export function knownKind(name: string): ObjectKind | undefined {
  const ofSlots: readonly ObjectKind[] = Object.values(slotKinds);
  return [...ofSlots, ...routingKinds()].find(({ kind }) => kind === name);
}

/** Whether an object says where the traffic goes: routers may have kinds in common with slots. Pure. */
export function isRouting(spec: ModelSpec, { kind, name }: DeclaredObject): boolean {
  const refs = routerOf(spec).refs(namesOfModel(spec.name, spec.slots, spec.ingress));
  return refs.some((ref) => ref.kind.kind === kind && ref.name === name);
}

/** What of a model belongs to one slot. Pure. */
export function objectsOfSlot(spec: ModelSpec, slot: Slot): DeclaredObject[] {
  const { deployment, service, autoscaler } = namesOfModel(spec.name, spec.slots, spec.ingress);
  const own: readonly string[] = [deployment[slot], service[slot], autoscaler[slot]];
  return declaredObjects(spec).filter((object) => !isRouting(spec, object) && own.includes(object.name));
}

/** The objects that say where the traffic goes. Pure. */
export function routingObjects(spec: ModelSpec): DeclaredObject[] {
  return declaredObjects(spec).filter((object) => isRouting(spec, object));
}

/** Where the API server keeps an object. */
export function objectPath(namespace: string, { kind, name }: DeclaredObject): string {
  return pathOf(namespace, { kind: kindNamed(kind), name });
}

/** The type that Pulumi gives to an object. */
export function typeOf({ kind }: Pick<DeclaredObject, "kind">): string {
  return pulumiType(kindNamed(kind));
}

function kindNamed(kind: string): ObjectKind {
  const known = knownKind(kind);
  if (known === undefined) throw new Error(`A model has no objects of the kind ${kind}.`);
  return known;
}

/** Everything that the component declares of a model: a test compares them. Pure. */
export function declaredObjects(spec: ModelSpec): DeclaredObject[] {
  const names = namesOfModel(spec.name, spec.slots, spec.ingress);
  const files = configMaps(spec.name, (slot) => {
    const { image, configFiles } = spec.slots[slot];
    return image === undefined ? undefined : configFiles;
  });
  return [
    ...[...files.keys()].map((name): DeclaredObject => ({ kind: "ConfigMap", name })),
    ...slots.flatMap((slot): DeclaredObject[] => {
      const { image, replicas, autoscaling, disruptionBudget } = spec.slots[slot];
      const deployment = names.deployment[slot];
      const fewest = replicas === 0 ? 0 : (autoscaling?.min ?? replicas ?? 1);
      const budget = disruptionBudgetSpec(
        disruptionBudget ?? (spec.adopted?.slot === slot ? false : undefined),
        fewest,
        {},
      );
      return [
        { kind: "Service", name: names.service[slot] },
        ...(image === undefined ? [] : [{ kind: "Deployment", name: deployment }]),
        ...(image === undefined || autoscaling === undefined
          ? []
          : [{ kind: "HorizontalPodAutoscaler", name: names.autoscaler[slot] }]),
        ...(image === undefined || budget === undefined
          ? []
          : [{ kind: "PodDisruptionBudget", name: deployment }]),
      ];
    }),
    ...routerOf(spec)
      .refs(names)
      .map(({ kind, name }): DeclaredObject => ({ kind: kind.kind, name })),
  ];
}
