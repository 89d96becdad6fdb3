import type { KubernetesApi } from "../kubernetes/api.ts";

/** What is ready of what a slot should have. */
export interface SlotReadiness {
  readonly service: string;
  /** Replicas that the slot's Deployment asks for; without a Deployment, the pods that its Service selects. */
  readonly desired: number;
  /** Endpoints of the slot's Service that take requests. */
  readonly ready: number;
  /** Why it is not ready, as far as can be seen; empty when all desired replicas are. */
  readonly reasons: readonly string[];
}

interface Service {
  readonly spec?: { readonly selector?: Readonly<Record<string, string>> };
}

interface Deployment {
  readonly metadata?: { readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

interface EndpointSliceList {
  readonly items: readonly {
    readonly endpoints?: readonly {
      readonly addresses?: readonly string[];
      readonly conditions?: { readonly ready?: boolean };
      readonly targetRef?: { readonly uid?: string; readonly name?: string };
    }[];
  }[];
}

interface PodList {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string; readonly deletionTimestamp?: string };
    readonly status?: {
      readonly phase?: string;
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly message?: string;
      }[];
      readonly containerStatuses?: readonly {
        readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
      }[];
    };
  }[];
}

/** Counts the ready endpoints of the slot whose Service is `name`, and its Deployment where there is one. */
export async function slotReadiness(
  api: KubernetesApi,
  namespace: string,
  name: string,
  signal?: AbortSignal,
  deploymentName = name,
): Promise<SlotReadiness> {
  const options = signal === undefined ? {} : { signal };
  const core = `/api/v1/namespaces/${namespace}`;
  const [service, deployment, endpointSlices] = await Promise.all([
    api.find<Service>(`${core}/services/${name}`, options),
    api.find<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments/${deploymentName}`, options),
    api.json<EndpointSliceList>({
      ...options,
      method: "GET",
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      query: { labelSelector: `kubernetes.io/service-name=${name}` },
    }),
  ]);
  if (service === undefined) {
    return {
      service: name,
      desired: 0,
      ready: 0,
      reasons: [`there is no Service ${name} in the namespace ${namespace}`],
    };
  }
  const selector = service.spec?.selector ?? {};
  const pods = await api.json<PodList>({
    ...options,
    method: "GET",
    path: `${core}/pods`,
    query: {
      labelSelector: Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    },
  });
  // A pod that is being deleted stays in the list for a moment.
  const leaving = new Set(
    pods.items
      .filter((pod) => pod.metadata?.deletionTimestamp !== undefined)
      .map((pod) => pod.metadata?.name),
  );
  // A dual-stack Service lists each pod once for every address family.
  const ready = new Set(
    endpointSlices.items
      .flatMap((slice) => slice.endpoints ?? [])
      .filter(
        (endpoint) => endpoint.conditions?.ready !== false && !leaving.has(endpoint.targetRef?.name ?? ""),
      )
      .map((endpoint) => endpoint.targetRef?.uid ?? endpoint.addresses?.[0]),
  ).size;
  const running = pods.items.filter(
    (pod) =>
      pod.metadata?.deletionTimestamp === undefined &&
      pod.status?.phase !== "Succeeded" &&
      pod.status?.phase !== "Failed",
  );
  const desired = deployment === undefined ? running.length : (deployment.spec?.replicas ?? 1);
  const reasons: string[] = [];
  if (desired === 0) {
    reasons.push(
      deployment === undefined
        ? `no pod has the labels ${JSON.stringify(selector)}`
        : `the Deployment ${deploymentName} has 0 replicas`,
    );
  } else if (ready < desired) {
    reasons.push(`${ready} of ${desired} replicas are ready endpoints of the Service ${name}`);
    for (const pod of running) {
      const problem = problemOf(pod);
      if (problem !== undefined) reasons.push(`pod ${pod.metadata?.name}: ${problem}`);
    }
  }
  if (deployment !== undefined && desired > 0) {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = deployment.status ?? {};
    const isBehind = observedGeneration < (deployment.metadata?.generation ?? 0);
    // Pods of the former template among the ready ones are about to go.
    if (isBehind || updatedReplicas < desired || replicas > updatedReplicas) {
      reasons.push(
        `the Deployment ${deploymentName} is still rolling out (${updatedReplicas} of ${desired} replicas are up to date)`,
      );
    }
  }
  return { service: name, desired, ready, reasons };
}

function problemOf(pod: PodList["items"][number]): string | undefined {
  for (const { state } of pod.status?.containerStatuses ?? []) {
    if (state?.waiting?.reason !== undefined) {
      return [state.waiting.reason, state.waiting.message].filter(Boolean).join(": ");
    }
  }
  const unmet = pod.status?.conditions?.find(
    (condition) => ["PodScheduled", "Ready"].includes(condition.type) && condition.status !== "True",
  );
  return unmet === undefined ? undefined : (unmet.message ?? `not ${unmet.type}`);
}
