import type { RouterInput } from "../../component/routers/router.ts";
import { backendPort, healthPathOf } from "../../component/service-port.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel, type ObjectNames, slotLabels } from "../../core/names.ts";

/** What a router is told of a model, beside the routing. Pure. */
export function routerInput(
  spec: ModelSpec,
  names: ObjectNames = namesOfModel(spec.name, spec.slots, spec.ingress),
): Omit<RouterInput, "routing"> {
  return {
    model: spec.name,
    names,
    namespace: spec.namespace,
    ingress: spec.ingress,
    previewHeader: spec.previewHeader,
    testers: spec.testers,
    servicePort: spec.servicePort,
    backend: backendPort(spec.ingress.protocol, spec.servicePort, spec.server),
    selectors: {
      blue: spec.slots.blue.selector ?? slotLabels(spec.name, "blue"),
      green: spec.slots.green.selector ?? slotLabels(spec.name, "green"),
    },
    keepAliveSeconds: spec.server.keepAliveSeconds,
    healthPath: healthPathOf(spec.server),
  };
}
