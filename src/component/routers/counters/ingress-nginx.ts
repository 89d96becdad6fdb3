import { countersBy, literally } from "./counted.ts";

/**
 * ingress-nginx: `canary` names the Service of the candidate, and is empty or `-` for the main one; `ingress` and `service` stay those of the main
 * Ingress. The latency has no such label in all versions: where it has none, it is not counted.
 */
export const ingressNginx = countersBy({
  controller: "ingress-nginx",
  prefix: "nginx_ingress_controller_",
  always: "nginx_ingress_controller_build_info",
  pods: {
    selector: "app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller",
    namespaces: ["ingress-nginx", "kube-system"],
    port: 10_254,
  },
  requests: "nginx_ingress_controller_requests",
  latency: "nginx_ingress_controller_request_duration_seconds_bucket",
  status: "status",
  empty: ["canary"],
  matching: ({ main }) => ({ label: "ingress", expression: literally(main) }),
  slotOf: (labels, { namespace, main, services, servicePort, routing }) => {
    if (labels.namespace !== namespace && labels.exported_namespace !== namespace) return undefined;
    if (labels.ingress !== main || labels.canary === undefined) return undefined;
    if (labels.canary === "" || labels.canary === "-") return routing.main;
    const candidate = `${namespace}-${services[routing.candidate]}-${servicePort}`;
    return labels.canary === candidate ? routing.candidate : undefined;
  },
});
