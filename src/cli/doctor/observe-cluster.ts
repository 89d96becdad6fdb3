import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import { ingressEndpointAnnotation } from "../../local-cluster/cluster.ts";
import {
  type IngressClassFacts,
  type NamespaceFound,
  neededPermissions,
  type Permission,
} from "./verdicts.ts";

/** What `doctor` reads from a cluster. Nothing is written. */

export async function gitVersion(api: KubernetesApi, signal: AbortSignal): Promise<string> {
  const version = await api.json<{ readonly gitVersion?: string }>({
    method: "GET",
    path: "/version",
    signal,
  });
  return version.gitVersion ?? "";
}

export async function findNamespace(
  api: KubernetesApi,
  name: string,
  signal: AbortSignal,
): Promise<NamespaceFound> {
  try {
    return (await api.find(`/api/v1/namespaces/${name}`, { signal })) === undefined ? "missing" : "there";
  } catch (error) {
    if (isForbidden(error)) return "forbidden";
    throw error;
  }
}

/** Permissions that the account lacks, as the API server judges them. */
export async function deniedPermissions(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal,
): Promise<Permission[]> {
  const answers = await Promise.all(
    neededPermissions.map(async (permission) => {
      const [resource, subresource] = permission.resource.split("/");
      const review = await api.json<{ readonly status?: { readonly allowed?: boolean } }>({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        signal,
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: {
            resourceAttributes: {
              verb: permission.verb,
              group: permission.group,
              resource,
              ...(subresource === undefined ? {} : { subresource }),
              ...(permission.clusterWide === true ? {} : { namespace }),
            },
          },
        },
      });
      return { permission, allowed: review.status?.allowed === true };
    }),
  );
  return answers.filter(({ allowed }) => !allowed).map(({ permission }) => permission);
}

interface List {
  readonly items?: readonly KubernetesObject[];
}

export async function ingressClasses(api: KubernetesApi, signal: AbortSignal): Promise<IngressClassFacts[]> {
  const list = await api.json<List>({
    method: "GET",
    path: "/apis/networking.k8s.io/v1/ingressclasses",
    signal,
  });
  return (list.items ?? []).map((item) => ({
    name: item.metadata?.name ?? "",
    controller: (item.spec as { readonly controller?: string } | undefined)?.controller ?? "",
    labels: item.metadata?.labels ?? {},
    endpoint: item.metadata?.annotations?.[ingressEndpointAnnotation],
  }));
}

/** Pods of ingress-nginx, as `NAMESPACE/NAME`; `undefined` when the account may not look. */
export async function retiredControllers(
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const list = await api.json<List>({
      method: "GET",
      path: "/api/v1/pods",
      query: { labelSelector: "app.kubernetes.io/name=ingress-nginx", limit: 5 },
      signal,
    });
    return (list.items ?? []).map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** Addresses in the status of an Ingress, host names resolved; `undefined` when the Ingress does not exist. */
export async function ingressAddresses(
  api: KubernetesApi,
  namespace: string,
  name: string,
  lookup: (host: string) => Promise<readonly string[]>,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`;
  const ingress = await api.find(path, { signal });
  if (ingress === undefined) return undefined;
  const status = ingress.status as
    | {
        readonly loadBalancer?: {
          readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
        };
      }
    | undefined;
  const found = await Promise.all(
    (status?.loadBalancer?.ingress ?? []).map(async ({ ip, hostname }) => {
      if (ip !== undefined) return [ip];
      // A name that does not resolve yet is shown as it is.
      return hostname === undefined ? [] : lookup(hostname).catch(() => [hostname]);
    }),
  );
  return [...new Set(found.flat())];
}

function isForbidden(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.status === 403;
}
