import { autoscalerSpec } from "../../component/autoscaling.ts";
import { deploymentSpec } from "../../component/deployment.ts";
import { withPodDefaults } from "../../component/pod-defaults.ts";
import { routerOf } from "../../component/routers/together.ts";
import { backendPort, serviceFields } from "../../component/service-port.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel } from "../../core/names.ts";
import { podScheme } from "../../core/pod-address.ts";
import type { Routing } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import { type DeclaredObject, isRouting } from "./declared-objects.ts";
import { routerInput } from "./router-input.ts";

/**
 * What is declared of an object, as far as it can be said; `undefined` where nobody declared it: adopted objects keep what they had, and
 * without a routing nothing is said of where traffic goes. Pure.
 */
export function declaredFields(
  spec: ModelSpec,
  object: DeclaredObject,
  slot: Slot | undefined,
  routing: Routing | undefined,
): unknown {
  const { adopted } = spec;
  const routed = () =>
    adopted !== undefined || routing === undefined ? undefined : declaredRouting(spec, object, routing);
  switch (object.kind) {
    case "Deployment":
      return slot === undefined || (adopted?.slot === slot && adopted.templateKept)
        ? undefined
        : declaredDeployment(spec, slot);
    case "Service":
      if (isRouting(spec, object)) return routed();
      return slot === undefined || adopted?.slot === slot ? undefined : declaredService(spec, slot);
    case "HorizontalPodAutoscaler":
      return slot === undefined || adopted?.slot === slot ? undefined : declaredAutoscaler(spec, slot);
    case "ConfigMap":
    case "PodDisruptionBudget":
      return undefined;
    default:
      return routed();
  }
}

const selectorOf = ({ name, slots }: ModelSpec, slot: Slot) =>
  slots[slot].selector ?? { app: name, version: slot };

/** What a slot's Deployment is declared as; `undefined` where it has none. Pure. */
export function declaredDeployment(spec: ModelSpec, slot: Slot): unknown {
  const { image, versions: _versions, ...rest } = spec.slots[slot];
  if (image === undefined) return undefined;
  const scheme = podScheme(spec.ingress.protocol, spec.server);
  const declared = deploymentSpec(
    spec.name,
    selectorOf(spec, slot),
    { ...rest, image } as Parameters<typeof deploymentSpec>[2],
    spec.server,
    scheme,
  );
  return { spec: withPodDefaults(declared, rest.podDefaults) };
}

function declaredService(spec: ModelSpec, slot: Slot): unknown {
  return {
    spec: {
      type: "ClusterIP",
      selector: selectorOf(spec, slot),
      ports: [backendPort(spec.ingress.protocol, spec.servicePort, spec.server)],
      ...serviceFields(spec.service),
    },
  };
}

function declaredAutoscaler(spec: ModelSpec, slot: Slot): unknown {
  const { autoscaling } = spec.slots[slot];
  if (autoscaling === undefined) return undefined;
  const { deployment } = namesOfModel(spec.name, spec.slots, spec.ingress);
  return { spec: autoscalerSpec(deployment[slot], autoscaling) };
}

function declaredRouting(spec: ModelSpec, { kind, name }: DeclaredObject, routing: Routing): unknown {
  const router = routerOf(spec);
  const names = namesOfModel(spec.name, spec.slots, spec.ingress);
  const at = router.refs(names).findIndex((ref) => ref.kind.kind === kind && ref.name === name);
  const manifest = router.objects({ ...routerInput(spec), routing })[at];
  return manifest && { metadata: { annotations: manifest.metadata.annotations }, spec: manifest.spec };
}
