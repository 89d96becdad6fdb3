import type { BlueGreenModelArgs } from "../../component/arguments.ts";
import type { ModelSpec } from "../../core/model.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import { providerPatience } from "./provider-patience.ts";

/** What a run of Pulumi makes true. */
export interface Desired {
  readonly spec: ModelSpec;
  readonly routing: Routing;
}

/** The Pulumi program: the component, and what people and scripts want to know of it. */
export async function declare({ spec, routing }: Desired, readyMs: number): Promise<Record<string, unknown>> {
  const { BlueGreenModel } = await import("../../component/blue-green-model.ts");
  const args: BlueGreenModelArgs = {
    namespace: spec.namespace,
    // As in a configuration file: Kubernetes' own objects in it have no types, the API server checks them.
    slots: spec.slots as BlueGreenModelArgs["slots"],
    live: liveSlot(routing),
    routing,
    server: spec.server,
    router: spec.router,
    ingress: spec.ingress,
    previewHeader: spec.previewHeader,
    ...(spec.testers === undefined ? {} : { testers: spec.testers }),
    servicePort: spec.servicePort,
    ...(spec.service === undefined ? {} : { service: spec.service }),
    ...(spec.adopted === undefined ? {} : { adopted: spec.adopted }),
    ...(spec.besides === undefined ? {} : { besides: spec.besides }),
    // Readiness was looked at already, with more patience and better evidence than a hook has.
    guard: false,
  };
  const model = new BlueGreenModel(spec.name, args, { transformations: [providerPatience(readyMs)] });
  return {
    endpoint: model.endpoint,
    url: model.url,
    live: model.live,
    blueService: model.slots.blue.serviceName,
    greenService: model.slots.green.serviceName,
  };
}
