import { istioGatewayKind } from "../../component/routers/istio-gateway.ts";
import type { IngressClassShape } from "../../core/ingress-class.ts";
import { ingressEndpointAnnotation } from "../../core/local-cluster.ts";
import { collectionPath } from "../../core/object-kind.ts";
import { type KubernetesApi, mayNotLook } from "../../kubernetes/api.ts";

/** What a cluster has that says who takes requests. What may not be seen is left out, and named. */
export interface FoundControllers {
  readonly ingressClasses: readonly FoundIngressClass[];
  readonly gatewayClasses: readonly FoundGatewayClass[];
  readonly gateways: readonly FoundGateway[];
  /** Of Istio's own kind, which have no class. @default none */
  readonly istioGateways?: readonly Omit<FoundGateway, "className">[];
  /** Groups of the API that the cluster serves. @default it may not be asked */
  readonly groups?: readonly string[];
  /** Kinds that this account may not list. */
  readonly unseen: readonly string[];
}

export interface FoundIngressClass {
  readonly name: string;
  readonly controller: string;
  readonly isDefault: boolean;
}

/** What the class says beside: who made it, and where its controller listens. */
export interface DescribedIngressClass extends FoundIngressClass {
  readonly labels: Readonly<Record<string, string>>;
  readonly endpoint: string | undefined;
}

export interface FoundGatewayClass {
  readonly name: string;
  readonly controllerName: string;
  readonly isAccepted: boolean;
}

export interface FoundGateway {
  readonly name: string;
  readonly namespace: string;
  readonly className: string;
}

interface Listed<Item> {
  readonly items?: readonly Item[];
}

interface IngressClass extends IngressClassShape {
  readonly metadata?: NonNullable<IngressClassShape["metadata"]> & {
    readonly labels?: Readonly<Record<string, string>>;
  };
}

interface GatewayClass {
  readonly metadata?: { readonly name?: string };
  readonly spec?: { readonly controllerName?: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

interface Gateway {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: { readonly gatewayClassName?: string };
}

const defaultClass = "ingressclass.kubernetes.io/is-default-class";
const gatewayGroup = "/apis/gateway.networking.k8s.io/v1";

/** `undefined`: this account may not list them. */
export async function findIngressClasses(
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<readonly DescribedIngressClass[] | undefined> {
  try {
    const path = "/apis/networking.k8s.io/v1/ingressclasses";
    const { items = [] } = (await api.find<Listed<IngressClass>>(path, { signal })) ?? {};
    return items.map(({ metadata, spec }) => ({
      name: metadata?.name ?? "",
      controller: spec?.controller ?? "",
      isDefault: metadata?.annotations?.[defaultClass] === "true",
      labels: metadata?.labels ?? {},
      endpoint: metadata?.annotations?.[ingressEndpointAnnotation],
    }));
  } catch (error) {
    if (!mayNotLook(error)) throw error;
    return undefined;
  }
}

/** Reads what a cluster has; changes nothing. */
export async function findControllers(
  api: KubernetesApi,
  signal: AbortSignal,
  /** Those that somebody has listed already. @default they are listed */
  listed?: Promise<readonly FoundIngressClass[] | undefined>,
): Promise<FoundControllers> {
  const unseen: string[] = [];
  const list = async <Item>(path: string, kind: string): Promise<readonly Item[]> => {
    try {
      return (await api.find<Listed<Item>>(path, { signal }))?.items ?? [];
    } catch (error) {
      if (!mayNotLook(error)) throw error;
      unseen.push(kind);
      return [];
    }
  };
  const groups = await groupsOf(api, signal);
  const [classes, gatewayClasses, gateways, istioGateways] = await Promise.all([
    listed ?? findIngressClasses(api, signal),
    list<GatewayClass>(`${gatewayGroup}/gatewayclasses`, "GatewayClasses"),
    list<Gateway>(`${gatewayGroup}/gateways`, "Gateways"),
    // Of what the cluster does not have, nobody needs to be told that they may not look at it.
    groups?.includes(istioGatewayKind.group) === true
      ? list<Gateway>(collectionPath(istioGatewayKind), "Gateways of Istio")
      : [],
  ]);
  return {
    ingressClasses: (classes ?? []).map(({ name, controller, isDefault }) => ({
      name,
      controller,
      isDefault,
    })),
    gatewayClasses: gatewayClasses.map(({ metadata, spec, status = {} }) => ({
      name: metadata?.name ?? "",
      controllerName: spec?.controllerName ?? "",
      isAccepted: isAccepted(status),
    })),
    gateways: gateways.map(({ metadata, spec }) => ({
      name: metadata?.name ?? "",
      namespace: metadata?.namespace ?? "",
      className: spec?.gatewayClassName ?? "",
    })),
    istioGateways: istioGateways.map(({ metadata }) => ({
      name: metadata?.name ?? "",
      namespace: metadata?.namespace ?? "",
    })),
    ...(groups === undefined ? {} : { groups }),
    unseen: classes === undefined ? ["IngressClasses", ...unseen] : unseen,
  };
}

function isAccepted({ conditions = [] }: NonNullable<GatewayClass["status"]>): boolean {
  return conditions.some(({ type, status }) => type === "Accepted" && status === "True");
}

async function groupsOf(api: KubernetesApi, signal: AbortSignal): Promise<readonly string[] | undefined> {
  try {
    const { groups = [] } = await api.json<{ readonly groups?: readonly { readonly name?: string }[] }>({
      method: "GET",
      path: "/apis",
      signal,
    });
    return groups.flatMap(({ name }) => name ?? []);
  } catch (error) {
    if (mayNotLook(error)) return undefined;
    throw error;
  }
}
