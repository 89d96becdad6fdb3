import type { IngressLike } from "../../core/ingress-claims.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import type { List } from "../../kubernetes/lists.ts";
import type { DeploymentObject, PodObject } from "../../slots/kubernetes-objects.ts";

type Texts = Readonly<Record<string, string>>;

/** The fields that are read of what runs; everything may be missing. */
export interface FoundIngress extends KubernetesObject {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: unknown;
    readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: { readonly paths?: readonly FoundPath[] };
    }[];
  };
}

export interface FoundPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend?: {
    readonly resource?: unknown;
    readonly service?: {
      readonly name?: string;
      readonly port?: { readonly name?: string; readonly number?: number };
    };
  };
}

export interface FoundService extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: Texts;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port?: number;
      readonly targetPort?: number | string;
      readonly protocol?: string;
    }[];
  };
}

export interface FoundContainer {
  readonly name?: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly resources?: { readonly requests?: Texts; readonly limits?: Texts };
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort?: number;
    readonly protocol?: string;
  }[];
  readonly readinessProbe?: FoundProbe;
  readonly livenessProbe?: FoundProbe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds?: number } } };
  readonly [field: string]: unknown;
}

export interface FoundProbe {
  readonly httpGet?: { readonly path?: string; readonly port?: number | string; readonly scheme?: string };
  readonly grpc?: { readonly port?: number; readonly service?: string };
}

export interface FoundDeployment extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly selector?: { readonly matchLabels?: Texts; readonly matchExpressions?: readonly unknown[] };
    readonly template?: {
      readonly metadata?: { readonly labels?: Texts };
      readonly spec?: { readonly containers?: readonly FoundContainer[]; readonly [field: string]: unknown };
    };
  };
  readonly status?: NonNullable<DeploymentObject["status"]>;
}

export interface FoundAutoscaler extends KubernetesObject {
  readonly spec?: {
    readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly metrics?: readonly FoundMetric[];
    readonly behavior?: object;
  };
}

export interface FoundBudget extends KubernetesObject {
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Texts; readonly matchExpressions?: readonly unknown[] };
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
  };
}

export interface FoundNetworkPolicy extends KubernetesObject {
  readonly spec?: {
    readonly podSelector?: { readonly matchLabels?: Texts; readonly matchExpressions?: readonly unknown[] };
  };
}

/** A metric of `autoscaling/v2`, which is passed on as it is. */
export interface FoundMetric {
  readonly type?: string;
  readonly resource?: {
    readonly name?: string;
    readonly target?: { readonly type?: string; readonly averageUtilization?: number };
  };
  readonly containerResource?: { readonly container?: string };
  readonly [field: string]: unknown;
}

/** What runs in a namespace, as far as taking it over is concerned. */
export interface Inventory {
  readonly namespace: string;
  readonly ingresses: readonly FoundIngress[];
  readonly services: readonly FoundService[];
  readonly deployments: readonly FoundDeployment[];
  readonly replicaSets: readonly KubernetesObject[];
  readonly pods: readonly PodObject[];
  /** `undefined`: they may not be read. */
  readonly autoscalers: readonly FoundAutoscaler[] | undefined;
  /** `undefined`: they may not be read. */
  readonly budgets?: readonly FoundBudget[] | undefined;
  /** `undefined`: they may not be read. */
  readonly networkPolicies?: readonly FoundNetworkPolicy[] | undefined;
  /** Those of other namespaces, too, where they may be read. @default those of the namespace */
  readonly everyIngress?: readonly IngressLike[] | undefined;
  /** Controller of each IngressClass by name; `undefined`: they may not be read. */
  readonly controllers: Readonly<Record<string, string>> | undefined;
}

/** Reads a namespace; writes nothing. */
export async function takeInventory(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal,
): Promise<Inventory> {
  const list = async <T extends KubernetesObject>(path: string) =>
    (await api.json<List<T>>({ method: "GET", path, signal, timeoutMs: 10_000 })).items ?? [];
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const [ingresses, services, deployments, replicaSets, pods, ...optional] = await Promise.all([
    list<FoundIngress>(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`),
    list<FoundService>(`/api/v1/namespaces/${namespace}/services`),
    list<FoundDeployment>(`${apps}/deployments`),
    list(`${apps}/replicasets`),
    list<PodObject>(`/api/v1/namespaces/${namespace}/pods`),
    allowed(list<FoundAutoscaler>(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`)),
    allowed(list("/apis/networking.k8s.io/v1/ingressclasses")),
    allowed(list<FoundBudget>(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`)),
    allowed(list<FoundNetworkPolicy>(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`)),
    allowed(list<IngressLike & KubernetesObject>("/apis/networking.k8s.io/v1/ingresses")),
  ]);
  const [autoscalers, classes, budgets, networkPolicies, everyIngress] = optional;
  const controllers = classes?.map(
    ({ metadata, spec }) =>
      [
        metadata?.name ?? "",
        (spec as { readonly controller?: string } | undefined)?.controller ?? "",
      ] as const,
  );
  return {
    namespace,
    ingresses,
    services,
    deployments,
    replicaSets,
    pods,
    autoscalers,
    budgets,
    networkPolicies,
    everyIngress,
    controllers: controllers === undefined ? undefined : Object.fromEntries(controllers),
  };
}

/** What some people may not read, or an API server does not serve, is a help and no need. */
async function allowed<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof KubernetesApiError && [401, 403, 404].includes(error.status)) return undefined;
    throw error;
  }
}
