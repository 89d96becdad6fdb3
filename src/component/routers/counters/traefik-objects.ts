import type { Sample } from "../../../core/exposition.ts";
import { type Slot, slots } from "../../../core/slots.ts";
import { type Attributed, type ControllerCounters, type CountedModel, summed } from "./counted.ts";

const requests = "traefik_service_requests_total";
const latency = "traefik_service_request_duration_seconds_bucket";

/** Traefik by the name that one of its providers gives a slot's service; preview requests are among those counted. */
function traefikBy(
  provider: string,
  isOf: (service: string, model: CountedModel, slot: Slot) => boolean,
): ControllerCounters {
  return {
    controller: `Traefik (provider ${provider})`,
    metrics: [requests, latency],
    isOf: (samples) => samples.some(({ name }) => name.startsWith("traefik_")),
    count(samples, model) {
      const slotOf = ({ labels: { service = "" } }: Sample) =>
        slots.find((slot) => isOf(service, model, slot));
      const of = (metric: string): Attributed[] =>
        samples.flatMap((sample) => {
          const slot = sample.name === metric ? slotOf(sample) : undefined;
          return slot === undefined ? [] : [{ sample, slot }];
        });
      return summed(of(requests), of(latency), ({ labels }) => /^5/.test(labels.code ?? ""), model.latency);
    },
  };
}

/** Its own kinds: `NAMESPACE-SERVICE-PORT@kubernetescrd`. The services of whole routes and splits have names of their own, and are no slot's. */
export const traefikCrd = traefikBy(
  "kubernetesCRD",
  (service, { namespace, services, servicePort }, slot) =>
    service === `${namespace}-${services[slot]}-${servicePort}@kubernetescrd`,
);

/** The Gateway API: `httproute-NAMESPACE-ROUTE-gw-…-svc-NAMESPACE-SERVICE-INDEX@kubernetesgateway`, one for each rule that names the Service. */
export const traefikGateway = traefikBy(
  "kubernetesGateway",
  (service, { namespace, main, services }, slot) =>
    service.startsWith(`httproute-${namespace}-${main}-gw-`) &&
    /^\d+@kubernetesgateway$/.test(service.split(`-svc-${namespace}-${services[slot]}-`)[1] ?? ""),
);
