import type { RouterInput } from "../../component/routers/router.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel, type ObjectNames } from "../../core/names.ts";

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
    servicePort: spec.servicePort,
    keepAliveSeconds: spec.server.keepAliveSeconds,
  };
}
