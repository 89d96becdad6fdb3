import { disruptionBudgetSpec } from "../../component/disruption.ts";
import { configMaps } from "../../component/pod/config-files.ts";
import { routerNamed } from "../../component/routers/factory.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel } from "../../core/names.ts";
import type { Slot } from "../../core/slots.ts";
import { slots } from "../../core/slots.ts";

/** One object that a model consists of. The resource of the program has the object's name. */
export interface DeclaredObject {
  readonly kind: keyof typeof kinds;
  readonly name: string;
}

/** The kinds that a model's objects have: their Pulumi types, and where the API server keeps them. */
export const kinds = {
  ConfigMap: { type: "kubernetes:core/v1:ConfigMap", group: "/api/v1", plural: "configmaps" },
  Service: { type: "kubernetes:core/v1:Service", group: "/api/v1", plural: "services" },
  Deployment: { type: "kubernetes:apps/v1:Deployment", group: "/apis/apps/v1", plural: "deployments" },
  HorizontalPodAutoscaler: {
    type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    group: "/apis/autoscaling/v2",
    plural: "horizontalpodautoscalers",
  },
  PodDisruptionBudget: {
    type: "kubernetes:policy/v1:PodDisruptionBudget",
    group: "/apis/policy/v1",
    plural: "poddisruptionbudgets",
  },
  Ingress: {
    type: "kubernetes:networking.k8s.io/v1:Ingress",
    group: "/apis/networking.k8s.io/v1",
    plural: "ingresses",
  },
} as const;

/** What of a model belongs to one slot. Pure. */
export function objectsOfSlot(spec: ModelSpec, slot: Slot): DeclaredObject[] {
  const { deployment, service, autoscaler } = namesOfModel(spec.name, spec.slots, spec.ingress);
  const own: readonly string[] = [deployment[slot], service[slot], autoscaler[slot]];
  return declaredObjects(spec).filter(({ kind, name }) => kind !== "Ingress" && own.includes(name));
}

/** The objects that say where the traffic goes. Pure. */
export function routingObjects(spec: ModelSpec): DeclaredObject[] {
  return declaredObjects(spec).filter(({ kind }) => kind === "Ingress");
}

/** Where the API server keeps an object. */
export function objectPath(namespace: string, { kind, name }: DeclaredObject): string {
  const { group, plural } = kinds[kind];
  return `${group}/namespaces/${namespace}/${plural}/${name}`;
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
        ...(image === undefined ? [] : [{ kind: "Deployment", name: deployment } as const]),
        ...(image === undefined || autoscaling === undefined
          ? []
          : [{ kind: "HorizontalPodAutoscaler", name: names.autoscaler[slot] } as const]),
        ...(image === undefined || budget === undefined
          ? []
          : [{ kind: "PodDisruptionBudget", name: deployment } as const]),
      ];
    }),
    ...routerNamed(spec.router)
      .objectNames(names)
      .map((name): DeclaredObject => ({ kind: "Ingress", name })),
  ];
}
