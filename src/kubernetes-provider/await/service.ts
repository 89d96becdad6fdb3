import { at, listAt, mapAt, nameOf, text } from "../objects.ts";
import { isMap, type PropertyMap } from "../struct.ts";
import { collection, isBeingDeleted, list, type Observer, selectorText } from "./observer.ts";
import { describeProblems, isReady, podProblems } from "./pods.ts";
import type { Verdict } from "./wait.ts";

export interface ServiceView {
  readonly service: PropertyMap | undefined;
  /** Pods that match the selector. */
  readonly pods: readonly PropertyMap[];
  readonly endpointSlices: readonly PropertyMap[];
}

/**
 * A Service is ready when it has its address and sends to every pod that it selects. Without pods there is nothing
 * to wait for: they may come later, from somebody else. Pods that fail don't hold it up: the Service does its
 * part, and whoever owns the pods hears of the failure.
 */
export function serviceVerdict(view: ServiceView): Verdict {
  const { service } = view;
  if (service === undefined) return { state: "failed", reasons: ["It was deleted while it was waited for"] };
  const type = text(service, "spec", "type") || "ClusterIP";
  if (type === "ExternalName") return { state: "ready" };
  if (type === "LoadBalancer" && listAt(service, "status", "loadBalancer", "ingress").length === 0) {
    const reason = "Waiting for the address of the load balancer; a cluster without one never gives it";
    return { state: "waiting", reasons: [reason], trouble: true };
  }
  if (!waitsForPods(service)) return { state: "ready" };

  const pods = view.pods.filter(
    (pod) => !isBeingDeleted(pod) && !["Succeeded", "Failed"].includes(text(pod, "status", "phase")),
  );
  if (pods.length === 0) {
    return {
      state: "ready",
      note: "No pod matches the selector yet; the Service sends to them once they are ready.",
    };
  }
  const unready = pods.filter((pod) => !isReady(pod));
  const problems = unready.flatMap(podProblems);
  const allFail = unready.every((pod) => podProblems(pod).some((problem) => problem.severity !== "mending"));
  if (unready.length > 0 && allFail) {
    const described = describeProblems(problems).join("; ");
    return { state: "ready", note: `${unready.length} of ${pods.length} selected pods fail: ${described}` };
  }
  if (unready.length > 0) {
    return {
      state: "waiting",
      reasons: [`${pods.length - unready.length} of ${pods.length} selected pods are ready`],
    };
  }
  const serving = readyPods(view.endpointSlices);
  const missing = pods.filter((pod) => !serving.has(text(pod, "metadata", "uid")));
  if (missing.length > 0) {
    return { state: "waiting", reasons: [`${missing.length} ready pods are not among the endpoints yet`] };
  }
  return { state: "ready" };
}

function waitsForPods(service: PropertyMap): boolean {
  const headless = at(service, "spec", "clusterIP") === "None";
  return !headless && Object.keys(mapAt(service, "spec", "selector")).length > 0;
}

function readyPods(slices: readonly PropertyMap[]): ReadonlySet<string> {
  const endpoints = slices.flatMap((slice) => listAt(slice, "endpoints")).filter(isMap);
  // An endpoint without the condition counts as ready.
  return new Set(
    endpoints
      .filter((endpoint) => at(endpoint, "conditions", "ready") !== false)
      .map((endpoint) => text(endpoint, "targetRef", "uid")),
  );
}

const sliceLabel = (service: PropertyMap) => `kubernetes.io/service-name=${nameOf(service)}`;

export const serviceObserver: Observer = {
  watch: (live) => [
    { path: collection(live, "/api/v1", "services"), name: nameOf(live) },
    {
      path: collection(live, "/apis/discovery.k8s.io/v1", "endpointslices"),
      labelSelector: sliceLabel(live),
    },
  ],
  async look(session, live) {
    const { api } = session.client;
    const selector = selectorText(mapAt(live, "spec", "selector"));
    const [service, pods, endpointSlices] = await Promise.all([
      api.find<PropertyMap>(`${collection(live, "/api/v1", "services")}/${nameOf(live)}`, {
        signal: session.signal,
      }),
      waitsForPods(live)
        ? list(api, collection(live, "/api/v1", "pods"), { labelSelector: selector }, session.signal)
        : [],
      list(
        api,
        collection(live, "/apis/discovery.k8s.io/v1", "endpointslices"),
        { labelSelector: sliceLabel(live) },
        session.signal,
      ),
    ]);
    return {
      object: service ?? live,
      verdict: serviceVerdict({ service, pods, endpointSlices }),
      explain: async () => [],
    };
  },
};
