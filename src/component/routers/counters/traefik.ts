import { type Slot, slots } from "../../../core/slots.ts";
import { type ControllerCounters, type CountedModel, countersBy, literally } from "./counted.ts";

/**
 * Traefik by the name that one of its providers gives a slot's service; preview requests are among those counted. Answers that Traefik itself
 * gives without a server are not counted, retries are.
 */
function traefikBy(
  provider: string,
  isOf: (service: string, model: CountedModel, slot: Slot) => boolean,
): ControllerCounters {
  return countersBy({
    controller: `Traefik (provider ${provider})`,
    prefix: "traefik_",
    always: "traefik_config_reloads_total",
    pods: {
      selector: "app.kubernetes.io/name=traefik",
      namespaces: ["traefik", "traefik-system", "kube-system"],
      port: 9100,
    },
    requests: "traefik_service_requests_total",
    latency: "traefik_service_request_duration_seconds_bucket",
    status: "code",
    matching: ({ namespace }) => ({
      label: "service",
      expression: `(httproute-)?${literally(namespace)}-.*`,
    }),
    slotOf: ({ service = "" }, model) => slots.find((slot) => isOf(service, model, slot)),
  });
}

/**
 * The annotations of ingress-nginx (pkg/provider/kubernetes/ingress-nginx): the service of the main Ingress is called
 * `NAMESPACE-INGRESS-SERVICE-PORT`, that of the canary the same with `-canary`, so after the *main* Service.
 */
export const traefikNginx = traefikBy(
  "kubernetesIngressNGINX",
  (service, { namespace, main, services, servicePort, routing }, slot) => {
    const ofMain = `${namespace}-${main}-${services[routing.main]}-${servicePort}`;
    const suffix = "@kubernetesingressnginx";
    return (
      (slot === routing.main && service === `${ofMain}${suffix}`) ||
      (slot === routing.candidate && service === `${ofMain}-canary${suffix}`)
    );
  },
);

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
