import { type Slot, slots } from "../../../core/slots.ts";
import {
  type ControllerCounters,
  type CountedModel,
  countersBy,
  literally,
  type UsualPods,
} from "./counted.ts";

/**
 * Envoy by the cluster that its controller gives a slot. What Envoy answers itself because a cluster has no ready pod is counted there, too;
 * retries are not counted apart, and preview requests are among those counted.
 */
function envoyBy(
  controller: string,
  pods: UsualPods,
  isOf: (cluster: string, model: CountedModel, slot: Slot) => boolean,
): ControllerCounters {
  return countersBy({
    controller: `Envoy (${controller})`,
    prefix: "envoy_",
    requests: "envoy_cluster_upstream_rq",
    latency: "envoy_cluster_upstream_rq_time_bucket",
    always: "envoy_server_live",
    pods,
    matching: ({ namespace }) => ({ label: "envoy_cluster_name", expression: `${literally(namespace)}_.*` }),
    latencyIn: "milliseconds",
    status: "envoy_response_code",
    slotOf: ({ envoy_cluster_name: cluster = "" }, model) => slots.find((slot) => isOf(cluster, model, slot)),
  });
}

/** Contour (`AltStatName` in internal/envoy/cluster.go): a cluster for each Service, `NAMESPACE_SERVICE_PORT`. */
export const contourEnvoy = envoyBy(
  "Contour",
  { selector: "app=envoy", namespaces: ["projectcontour", "contour", "kube-system"], port: 8002 },
  (cluster, { namespace, services, servicePort }, slot) =>
    cluster === `${namespace}_${services[slot]}_${servicePort}`,
);
