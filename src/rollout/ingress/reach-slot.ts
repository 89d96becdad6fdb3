import type { Router } from "../../component/routers/router.ts";
import type { CallReach } from "../../core/calls.ts";
import { defaults } from "../../core/defaults.ts";
import type { Routing } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { ingressEndpoints } from "../observe/ingress-endpoints.ts";
import type { Observation } from "../observe/observation.ts";
import { namesAt } from "../observe/observe.ts";
import { probeHost } from "../proof/identity-question.ts";
import type { RolloutRecord } from "../record/record.ts";

/** The value of the preview header that leads to a slot; `undefined`: none does. Pure. */
export function previewValue(router: Router, routing: Routing, slot: Slot): string | undefined {
  if (slot === routing.candidate) return router.force(routing, "candidate");
  return slot === routing.main ? router.force(routing, "main") : undefined;
}

/** How the model is reached at this moment. Where the ingress is may not be found out: that is left open. */
export async function reachOf(
  context: RolloutContext,
  seen: { readonly record: RolloutRecord; readonly observation: Observation; readonly routing: Routing },
  signal: AbortSignal,
): Promise<CallReach> {
  const { record, observation, routing } = seen;
  const { ingress, previewHeader, servicePort = defaults.servicePort } = record.settings;
  const location = locationOf(context, record);
  const { service } = namesAt(location);
  const values = Object.fromEntries(
    slots.flatMap((slot) => {
      const value = previewValue(location.router, routing, slot);
      return value === undefined ? [] : [[slot, value]];
    }),
  );
  return {
    host: probeHost(ingress.host),
    path: ingress.path ?? defaults.ingress.path,
    addresses: await addressesNow(context, observation, ingress.host, signal),
    preview: location.router.capabilities.header ? { header: previewHeader, values } : undefined,
    services: {
      blue: { name: service.blue, port: servicePort },
      green: { name: service.green, port: servicePort },
    },
  };
}

async function addressesNow(
  { api, config, lookup }: RolloutContext,
  { ingress }: Observation,
  host: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const configured = config.endpoints;
    const endpoints = await ingressEndpoints({ api, configured, ingress, host, lookup, signal });
    return endpoints.map(({ url }) => url);
  } catch (error) {
    if (signal.aborted) throw error;
    return [];
  }
}
