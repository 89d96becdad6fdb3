import { objectNames } from "../../../core/names.ts";
import { slots } from "../../../core/slots.ts";
import { countersBy, literally } from "./counted.ts";

/** Of HAProxy itself, whose exporter has no buckets: how long answers took is not counted. It begins anew with each reload. */
const ofHaproxy = {
  prefix: "haproxy_",
  latency: undefined,
  status: "code",
  started: "haproxy_process_start_time_seconds",
  always: "haproxy_process_start_time_seconds",
} as const;

/**
 * The controller of HAProxy Technologies: a backend for each Service, `NAMESPACE_svc_SERVICE_PORT` (before 3.2 without `svc_`). Green has that of the
 * shift and that of previews; they are counted as those of blue are.
 */
export const haproxyTechCounters = countersBy({
  controller: "HAProxy Kubernetes Ingress Controller",
  ...ofHaproxy,
  pods: {
    selector: "app.kubernetes.io/name=kubernetes-ingress",
    namespaces: ["haproxy-controller", "haproxy", "kube-system"],
    port: 1024,
  },
  matching: ({ namespace }) => ({ label: "proxy", expression: `${literally(namespace)}_.*` }),
  requests: "haproxy_backend_http_responses_total",
  slotOf: ({ proxy = "" }, { namespace, main, names = objectNames(main), services }) => {
    const backend = proxy.replace(/^([^_]+)_svc_/, "$1_");
    const of = { blue: [services.blue], green: [names.shift, names.preview] };
    return slots.find((slot) => of[slot].some((service) => backend.startsWith(`${namespace}_${service}_`)));
  },
});

/** HAProxy Ingress: one backend for both slots, `NAMESPACE_SERVICE_PORT`, and a server for each pod, called like it. */
export const haproxyIngressCounters = countersBy({
  controller: "HAProxy Ingress",
  ...ofHaproxy,
  pods: {
    selector: "app.kubernetes.io/name=haproxy-ingress",
    namespaces: ["ingress-controller", "haproxy-ingress", "kube-system"],
    port: 9101,
  },
  matching: ({ namespace }) => ({ label: "proxy", expression: `${literally(namespace)}_.*` }),
  requests: "haproxy_server_http_responses_total",
  slotOf: ({ proxy = "", server = "" }, { namespace, main, names = objectNames(main) }) =>
    proxy.startsWith(`${namespace}_${names.union}_`)
      ? slots.find((slot) => new RegExp(`^${names.deployment[slot]}-[a-z0-9]+-[a-z0-9]+$`).test(server))
      : undefined,
});
