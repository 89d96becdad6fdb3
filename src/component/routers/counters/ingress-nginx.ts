import type { Sample } from "../../../core/exposition.ts";
import type { Slot } from "../../../core/slots.ts";
import { type Attributed, type ControllerCounters, summed } from "./counted.ts";

const requests = "nginx_ingress_controller_requests";
const latency = "nginx_ingress_controller_request_duration_seconds_bucket";

/**
 * ingress-nginx: `canary` names the Service of the candidate, and is empty or `-` for the main one; `ingress` and `service` stay those of the main
 * Ingress. The latency has no such label in all versions: where it has none, it is not counted.
 */
export const ingressNginx: ControllerCounters = {
  controller: "ingress-nginx",
  metrics: [requests, latency],
  isOf: (samples) => samples.some(({ name }) => name.startsWith("nginx_ingress_controller_")),
  count(samples, { namespace, main, services, servicePort, routing, latency: bound }) {
    const candidate = `${namespace}-${services[routing.candidate]}-${servicePort}`;
    const slotOf = ({ labels }: Sample): Slot | undefined => {
      if (labels.namespace !== namespace && labels.exported_namespace !== namespace) return undefined;
      if (labels.ingress !== main || labels.canary === undefined) return undefined;
      if (labels.canary === "" || labels.canary === "-") return routing.main;
      return labels.canary === candidate ? routing.candidate : undefined;
    };
    const of = (metric: string): Attributed[] =>
      samples.flatMap((sample) => {
        const slot = sample.name === metric ? slotOf(sample) : undefined;
        return slot === undefined ? [] : [{ sample, slot }];
      });
    return summed(of(requests), of(latency), ({ labels }) => /^5/.test(labels.status ?? ""), bound);
  },
};
