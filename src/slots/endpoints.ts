import type { EndpointSliceObject, PodObject, ServiceObject } from "./kubernetes-objects.ts";
import type { EndpointObservation, EndpointsObservation } from "./observation.ts";

export interface SeenEndpoints extends EndpointsObservation {
  /** Pods whose endpoint has no port: none of their containers has the one that the Service names. */
  readonly portless: ReadonlySet<string>;
}

/** What takes a slot's requests. Pure. */
export function endpointsOf(
  service: ServiceObject | undefined,
  slices: readonly EndpointSliceObject[],
  pods: readonly PodObject[],
): SeenEndpoints {
  const leaving = new Set(
    pods.filter((pod) => pod.metadata?.deletionTimestamp !== undefined).map((pod) => pod.metadata?.name),
  );
  // Services with `publishNotReadyAddresses` call everything ready.
  const unready = new Set(pods.filter(saysUnready).map((pod) => pod.metadata?.name));
  const hasPorts = (service?.spec?.ports ?? []).length > 0;
  // Dual-stack Services have one slice per address family: a pod counts once.
  const ready = new Map<string, EndpointObservation>();
  const notReady = new Set<string>();
  const terminating = new Set<string>();
  const portless = new Set<string>();
  for (const slice of slices) {
    const isPortless = hasPorts && (slice.ports ?? []).length === 0;
    for (const endpoint of slice.endpoints ?? []) {
      const pod = endpoint.targetRef?.kind === "Pod" ? endpoint.targetRef.name : undefined;
      const address = endpoint.addresses?.[0] ?? "";
      const key = endpoint.targetRef?.uid ?? pod ?? address;
      if (endpoint.conditions?.terminating === true || leaving.has(pod)) terminating.add(key);
      else if (isPortless && pod !== undefined) portless.add(pod);
      // The API says: an endpoint without the condition is to be taken for ready.
      else if (endpoint.conditions?.ready !== false && !(pod !== undefined && unready.has(pod)))
        ready.set(key, { address, pod });
      else notReady.add(key);
    }
  }
  return { ready: [...ready.values()], notReady: notReady.size, terminating: terminating.size, portless };
}

function saysUnready(pod: PodObject): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return ready !== undefined && ready.status !== "True";
}
