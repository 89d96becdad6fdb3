import type { Slot } from "../../../core/slots.ts";
import { type Attributed, type ControllerCounters, summed } from "./counted.ts";

const requests = "traefik_service_requests_total";
const latency = "traefik_service_request_duration_seconds_bucket";
const provider = "@kubernetesingressnginx";

/**
 * Traefik's provider for the annotations of ingress-nginx (pkg/provider/kubernetes/ingress-nginx): the service of the main Ingress is called
 * `NAMESPACE-INGRESS-SERVICE-PORT`, that of the canary the same with `-canary`, so after the *main* Service. Answers that Traefik itself gives
 * without a server are not counted, retries are.
 */
export const traefikNginx: ControllerCounters = {
  controller: "Traefik (provider kubernetesIngressNGINX)",
  metrics: [requests, latency],
  isOf: (samples) => samples.some(({ name }) => name.startsWith("traefik_")),
  count(samples, { namespace, main, services, servicePort, routing, latency: bound }) {
    const service = `${namespace}-${main}-${services[routing.main]}-${servicePort}`;
    const slotOf: Readonly<Record<string, Slot>> = {
      [`${service}${provider}`]: routing.main,
      [`${service}-canary${provider}`]: routing.candidate,
    };
    const of = (metric: string): Attributed[] =>
      samples.flatMap((sample) => {
        const slot = sample.name === metric ? slotOf[sample.labels.service ?? ""] : undefined;
        return slot === undefined ? [] : [{ sample, slot }];
      });
    return summed(of(requests), of(latency), ({ labels }) => /^5/.test(labels.code ?? ""), bound);
  },
};
