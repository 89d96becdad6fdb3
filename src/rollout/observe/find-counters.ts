import type { UsualPods } from "../../component/routers/counters/counted.ts";
import { isInterrupted, messageOf } from "../../core/errors.ts";
import { ingressMetricsAnnotation } from "../../core/local-cluster.ts";
import type { CounterSource } from "../../gates/io.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import { type CountersAbout, type CountersRead, readCounters, type TrafficSource } from "./read-counters.ts";

/** Where clients' requests are counted, and what was found not to do. */
export type FoundCounters =
  | {
      readonly kind: "found";
      readonly source: TrafficSource;
      readonly read: Extract<CountersRead, { kind: "read" }>;
      readonly tried: readonly string[];
    }
  | { readonly kind: "none"; readonly tried: readonly string[] };

/** What is known of the cluster and the configuration beside the model. */
export interface FindCounters {
  readonly about: CountersAbout;
  /** Places that the configuration names. @default looked for */
  readonly places?: readonly CounterSource[] | undefined;
  /** The IngressClass of the model. */
  readonly className: string | undefined;
}

/**
 * Finds who counts clients' requests: the controller where the configuration or the IngressClass says, its pods where they are installed as a
 * rule, a Prometheus, and the model servers as the last. The first one that can be read is taken.
 */
export async function findCounters({ about, places, className }: FindCounters): Promise<FoundCounters> {
  const tried: string[] = [];
  const found = async (source: TrafficSource): Promise<FoundCounters | undefined> => {
    const read = await readCounters(source, about);
    if (read.kind === "read") return { kind: "found", source, read, tried };
    tried.push(read.why);
    return undefined;
  };
  const ofController = async (at: readonly CounterSource[]) =>
    at.length === 0 ? undefined : await found({ kind: "controller", places: at });
  if (places !== undefined) return (await ofController(places)) ?? { kind: "none", tried };
  if ((about.router.counters ?? []).length === 0) {
    tried.push(`nothing is known of how controllers of the router ${about.router.name} count`);
  }
  return (
    (await ofController(await annotated(className, about))) ??
    (await ofController(await controllerPods(about, tried))) ??
    (about.prometheus === undefined ? undefined : await found({ kind: "prometheus" })) ??
    (await found({ kind: "servers" })) ?? { kind: "none", tried }
  );
}

/** The addresses in the annotation of the IngressClass: those of a controller that runs outside the cluster. */
async function annotated(className: string | undefined, about: CountersAbout): Promise<CounterSource[]> {
  if (className === undefined || (about.router.counters ?? []).length === 0) return [];
  const path = `/apis/networking.k8s.io/v1/ingressclasses/${className}`;
  const how = { signal: about.signal, timeoutMs: about.timeoutMs };
  const object = await about.api.find(path, how).catch((error: unknown) => {
    if (isInterrupted(error) || about.signal.aborted) throw error;
    // IngressClasses are cluster-wide: people with rights in their namespace only do without.
    return undefined;
  });
  const text = object?.metadata?.annotations?.[ingressMetricsAnnotation] ?? "";
  return text
    .split(",")
    .map((url) => url.trim())
    .filter((url) => /^https?:\/\//.test(url) && URL.canParse(url))
    .map((url) => ({ kind: "url", url }));
}

/** The pods of the controllers that are known to count, namespace by namespace. */
async function controllerPods(about: CountersAbout, tried: string[]): Promise<CounterSource[]> {
  const usual = new Map((about.router.counters ?? []).map(({ pods }) => [pods.selector, pods]));
  for (const pods of usual.values()) {
    const found = await podsOf(pods, about, tried);
    if (found.length > 0) return found;
  }
  return [];
}

interface PodItem {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
}

async function podsOf(usual: UsualPods, about: CountersAbout, tried: string[]): Promise<CounterSource[]> {
  const { selector, namespaces } = usual;
  const everywhere = await listed(about.api, undefined, selector, about);
  const pods: PodItem[] = [];
  if (typeof everywhere !== "string") pods.push(...everywhere);
  else {
    for (const namespace of namespaces) {
      const some = await listed(about.api, namespace, selector, about);
      if (typeof some !== "string")
        pods.push(...some.map((pod) => ({ ...pod, metadata: { ...pod.metadata, namespace } })));
    }
  }
  if (pods.length === 0) {
    const where =
      typeof everywhere === "string" ? ` (${everywhere}; looked into ${namespaces.join(", ")})` : "";
    tried.push(`no pod with ${selector} was found${where}`);
    return [];
  }
  const byNamespace = new Map<string, PodItem>();
  for (const pod of pods) byNamespace.set(pod.metadata.namespace ?? "", pod);
  return [...byNamespace].map(
    ([namespace, pod]): CounterSource => ({
      kind: "pods",
      namespace,
      selector,
      port: portOf(pod, usual.port),
      path: pod.metadata.annotations?.["prometheus.io/path"] ?? "/metrics",
    }),
  );
}

function portOf({ metadata, spec }: PodItem, otherwise: number): number {
  const annotated = Number(metadata.annotations?.["prometheus.io/port"]);
  if (Number.isInteger(annotated) && annotated > 0) return annotated;
  const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports.find(({ name = "" }) => /metrics|prometheus/.test(name))?.containerPort ?? otherwise;
}

/** A text says why they may not be listed. */
async function listed(
  api: KubernetesApi,
  namespace: string | undefined,
  labelSelector: string,
  { signal, timeoutMs }: Pick<CountersAbout, "signal" | "timeoutMs">,
): Promise<readonly PodItem[] | string> {
  const path = namespace === undefined ? "/api/v1/pods" : `/api/v1/namespaces/${namespace}/pods`;
  const query = { labelSelector, fieldSelector: "status.phase=Running" };
  try {
    const { items } = await api.json<{ items: PodItem[] }>({ method: "GET", path, query, signal, timeoutMs });
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  } catch (error) {
    if (isInterrupted(error) || signal.aborted) throw error;
    const isForbidden = error instanceof KubernetesApiError && error.status === 403;
    return isForbidden ? "the pods of the whole cluster may not be listed" : messageOf(error);
  }
}
