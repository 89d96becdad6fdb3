import { type IngressClassShape, ingressClassVerdict, whoGivesAddress } from "../core/ingress-class.ts";
import { KubernetesApiError, type KubernetesObject } from "../kubernetes/api.ts";
import { type List, Lists } from "../kubernetes/lists.ts";
import type { PodObject } from "./kubernetes-objects.ts";
import { problemsIn } from "./look-workloads.ts";
import { selectorText } from "./revisions.ts";
import { type LookAt, meant, type WaitedPlace } from "./waited.ts";

interface LoadBalanced extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly object[] } };
}

interface ServiceShape extends LoadBalanced {
  readonly spec?: { readonly type?: string; readonly selector?: Readonly<Record<string, string>> };
}

interface Backend {
  readonly service?: { readonly name?: string };
}

interface IngressShape extends LoadBalanced {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: Backend;
    readonly rules?: readonly {
      readonly http?: { readonly paths?: readonly { readonly backend?: Backend }[] };
    }[];
  };
}

const isReady = ({ status }: PodObject) =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
const hasAddress = ({ status }: LoadBalanced) => (status?.loadBalancer?.ingress ?? []).length > 0;

/** A Service waits for a pod that takes its requests, and of type LoadBalancer for an address. */
export const lookAtService: LookAt = async (place) => {
  const { api, namespace, signal } = place;
  const service = await meant<ServiceShape>(place, `/api/v1/namespaces/${namespace}/services/${place.name}`);
  if (service === undefined) return undefined;
  const matchLabels = service.spec?.selector ?? {};
  const labelSelector = selectorText({ matchLabels });
  const pods =
    labelSelector === ""
      ? undefined
      : ((
          await new Lists(api).find<PodObject>(`/api/v1/namespaces/${namespace}/pods`, {
            labelSelector,
            signal,
          })
        )?.items ?? []);
  const isServed = pods === undefined || pods.some(isReady);
  const lacksAddress = service.spec?.type === "LoadBalancer" && !hasAddress(service);
  if (isServed && !lacksAddress) return undefined;
  return {
    object: service,
    reasons: [
      ...(isServed ? [] : [noPod(labelSelector, pods.length)]),
      ...(lacksAddress
        ? ["it has no address yet: what gives Services of type LoadBalancer theirs has to run in the cluster"]
        : []),
    ],
    ...(isServed ? { problems: [], waiting: [] } : problemsIn(pods)),
    lasting: [],
  };
};

function noPod(selector: string, pods: number): string {
  if (pods === 0) return `no pod has the labels that it selects (${selector})`;
  return `no pod that it selects (${selector}) is ready`;
}

/** An Ingress waits for its Services, and for an address. */
export const lookAtIngress: LookAt = async (place) => {
  const { api, namespace, signal } = place;
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${place.name}`;
  const ingress = await meant<IngressShape>(place, path);
  if (ingress === undefined) return undefined;
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const backends = [
    ...(defaultBackend === undefined ? [] : [defaultBackend]),
    ...rules.flatMap(({ http }) => (http?.paths ?? []).flatMap(({ backend }) => backend ?? [])),
  ];
  const names = [...new Set(backends.flatMap(({ service }) => service?.name ?? []))];
  const services = await Promise.all(
    names.map(
      async (name) =>
        [name, await api.find(`/api/v1/namespaces/${namespace}/services/${name}`, { signal })] as const,
    ),
  );
  const missing = services.flatMap(([name, found]) => (found === undefined ? [name] : []));
  if (missing.length === 0 && hasAddress(ingress)) return undefined;
  return {
    object: ingress,
    reasons: [
      ...(hasAddress(ingress) ? [] : [`it has no address yet: ${await whoHasTo(place, ingress)}`]),
      ...missing.map((name) => `it leads to the Service ${name}, which is not there`),
    ],
    ...{ problems: [], waiting: [], lasting: [] },
  };
};

async function whoHasTo({ api, signal }: WaitedPlace, { metadata, spec }: IngressShape): Promise<string> {
  const annotated = metadata?.annotations?.["kubernetes.io/ingress.class"];
  const wanted = spec?.ingressClassName ?? annotated;
  const classes = await api
    .find<List<IngressClassShape>>("/apis/networking.k8s.io/v1/ingressclasses", { signal })
    .catch((error: unknown) => {
      if (error instanceof KubernetesApiError && error.status === 403) return undefined;
      throw error;
    });
  if (wanted === undefined) {
    return "it names no class, and the cluster had no default one when it was made; a controller that serves such Ingresses has to run";
  }
  const isAnnotated = spec?.ingressClassName === undefined;
  return whoGivesAddress(wanted, ingressClassVerdict(wanted, isAnnotated, classes?.items));
}
