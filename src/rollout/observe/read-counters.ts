import type { Send } from "../../calls/io.ts";
import type { CountedModel } from "../../component/routers/counters/counted.ts";
import type { Router } from "../../component/routers/router.ts";
import { serverCountersOf } from "../../component/servers/counters.ts";
import type { Clock } from "../../core/clock.ts";
import { isInterrupted, messageOf } from "../../core/errors.ts";
import { type Sample, samplesOf } from "../../core/exposition.ts";
import type { ModelServer } from "../../core/model.ts";
import { type PodScheme, podProxyPath } from "../../core/pod-address.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { Counted } from "../../core/statistics/counted.ts";
import type { CounterSource } from "../../gates/io.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { readPrometheus } from "./prometheus.ts";

/** Metrics of a controller with thousands of Ingresses. */
export const largestMetrics = 32 * 1024 * 1024;
/** Seconds since 1970: another value is another process, whose counters began anew. */
const startOfProcess = "process_start_time_seconds";

/** Who counts clients' requests, and where that is read. */
export type TrafficSource =
  /** The ingress controller itself, all its replicas. */
  | { readonly kind: "controller"; readonly places: readonly CounterSource[] }
  /** The ingress controller, as a Prometheus has it. */
  | { readonly kind: "prometheus" }
  /** The model servers, in the pods of both slots. */
  | { readonly kind: "servers" };

/** The source that a gate names. Pure. */
export function namedSource(named: readonly CounterSource[] | "prometheus"): TrafficSource {
  return named === "prometheus" ? { kind: "prometheus" } : { kind: "controller", places: named };
}

/** A Prometheus that the configuration names. */
export interface PrometheusAt {
  readonly url: string;
  headers(): Promise<Readonly<Record<string, string>>>;
}

/** The model whose requests are counted, and what is asked. */
export interface CountersAbout {
  readonly api: KubernetesApi;
  readonly send: Send;
  readonly clock: Clock;
  readonly prometheus: PrometheusAt | undefined;
  readonly router: Router;
  readonly model: CountedModel;
  readonly server: ModelServer;
  readonly scheme: PodScheme;
  /** Pods of both slots that may have had requests. */
  readonly pods: Readonly<Record<Slot, readonly string[]>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What one replica has counted by now. */
export interface ReplicaCounted {
  /** Another value is another process. */
  readonly id: string;
  readonly counted: Counted;
}

export type CountersRead =
  | {
      readonly kind: "read";
      /** Who counts, as people know it. */
      readonly by: string;
      /** Where that is read, in words. */
      readonly where: string;
      readonly replicas: readonly ReplicaCounted[];
      /** When it was counted: of a Prometheus the oldest of its readings. Milliseconds since the Unix epoch. */
      readonly atMs: number;
      /** Somebody handed it on: it is of a moment that may be long over. */
      readonly isLate: boolean;
    }
  | { readonly kind: "unreadable"; readonly why: string };

/** One replica's samples, and what tells it from what it was before it was started again. */
export interface Samples {
  readonly id: string;
  readonly samples: readonly Sample[];
}

/** Reads what was counted by now. Throws only where the signal aborts. */
export async function readCounters(source: TrafficSource, about: CountersAbout): Promise<CountersRead> {
  try {
    switch (source.kind) {
      case "controller":
        return await ofController(source.places, about);
      case "prometheus":
        return await ofPrometheus(about);
      case "servers":
        return await ofServers(about);
    }
  } catch (error) {
    if (isInterrupted(error) || about.signal.aborted) throw error;
    return { kind: "unreadable", why: messageOf(error) };
  }
}

async function ofController(places: readonly CounterSource[], about: CountersAbout): Promise<CountersRead> {
  const atMs = about.clock.now();
  const known = about.router.counters ?? [];
  const names = new Set(known.flatMap(({ metrics, started = startOfProcess }) => [started, ...metrics]));
  const texts = (await Promise.all(places.map((place) => textsOf(place, about)))).flat();
  const read = texts.map(({ id, text }): Samples => ({ id, samples: samplesOf(text, names) }));
  return counting(read, about, { where: wordsOf(places), atMs, isLate: false });
}

async function ofPrometheus(about: CountersAbout): Promise<CountersRead> {
  const { prometheus, router, model } = about;
  if (prometheus === undefined) throw new Error("the configuration names no Prometheus");
  const known = router.counters ?? [];
  if (known.length === 0) return notKnown(about);
  const { atMs, replicas } = await readPrometheus(prometheus, known, model, about);
  const where = `Prometheus at ${new URL(prometheus.url).host}`;
  return counting(replicas, about, { where, atMs, isLate: true });
}

/** What replicas' samples say of the model. */
function counting(
  read: readonly Samples[],
  about: CountersAbout,
  how: Pick<Extract<CountersRead, { kind: "read" }>, "where" | "atMs" | "isLate">,
): CountersRead {
  const known = about.router.counters ?? [];
  const counters = known.find((one) => read.some(({ samples }) => one.isOf(samples)));
  const strange = read.find(({ samples }) => counters?.isOf(samples) !== true);
  if (counters === undefined || strange !== undefined || read.length === 0) {
    const what =
      strange === undefined ? "no replica was found" : `${strange.id} shows no counters of requests`;
    return { kind: "unreadable", why: `${what} (${expected(about)})` };
  }
  const replicas = read.map(
    ({ id, samples }): ReplicaCounted => ({
      id: `${id}@${samples.find(({ name }) => name === (counters.started ?? startOfProcess))?.value ?? ""}`,
      counted: counters.count(samples, about.model),
    }),
  );
  return { kind: "read", by: counters.controller, replicas, ...how };
}

function notKnown(about: CountersAbout): CountersRead {
  return { kind: "unreadable", why: expected(about) };
}

function expected({ router }: CountersAbout): string {
  const who = (router.counters ?? []).map(({ controller }) => controller).join(" and ");
  return who === ""
    ? `nothing is known of how controllers of the router ${router.name} count`
    : `the router ${router.name} knows those of ${who}`;
}

/** Where places are, in a few words. Paths and queries may be secret. */
export function wordsOf(places: readonly CounterSource[]): string {
  return places
    .map((place) =>
      place.kind === "url" ? new URL(place.url).host : `the pods ${place.selector} in ${place.namespace}`,
    )
    .join(", ");
}

async function textsOf(
  source: CounterSource,
  { api, send, signal, timeoutMs }: CountersAbout,
): Promise<{ readonly id: string; readonly text: string }[]> {
  if (source.kind === "url") {
    const { host } = new URL(source.url);
    const about = { method: "GET", url: source.url, headers: { accept: "text/plain" } } as const;
    const answer = await send({ ...about, largest: largestMetrics, timeoutMs, signal }).catch(
      (error: unknown) => {
        throw new Error(`the metrics at ${host} cannot be read: ${messageOf(error)}`, { cause: error });
      },
    );
    return [{ id: host, text: textOf(host, answer) }];
  }
  const { namespace, selector, port, path } = source;
  const { items } = await api.json<{ items: PodItem[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { labelSelector: selector, fieldSelector: "status.phase=Running" },
    signal,
    timeoutMs,
  });
  const pods = items
    // One that is about to end takes no new connections; that it is not read any more ends the block.
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
  if (pods.length === 0) throw new Error(`no pod with ${selector} runs in the namespace ${namespace}`);
  return await Promise.all(
    pods.map(async (pod) => {
      const id = `the pod ${pod}`;
      const answer = await podMetrics(api, podProxyPath({ namespace, pod, port, scheme: "http" }, path), {
        signal,
        timeoutMs,
      });
      return { id, text: textOf(id, answer) };
    }),
  );
}

interface PodItem {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
}

async function podMetrics(
  api: KubernetesApi,
  path: string,
  how: Pick<CountersAbout, "signal" | "timeoutMs">,
): Promise<{ readonly status: number; readonly body: string; readonly truncated?: boolean }> {
  const headers = { accept: "text/plain" };
  return await api.request({ method: "GET", path, headers, maxBytes: largestMetrics, ...how });
}

function textOf(
  id: string,
  {
    status,
    body,
    truncated,
  }: { readonly status: number; readonly body: string; readonly truncated?: boolean },
): string {
  if (status !== 200) throw new Error(`the metrics of ${id} cannot be read: HTTP ${status}`);
  // What is missing would look like a counter that began anew.
  if (truncated === true)
    throw new Error(`the metrics of ${id} are larger than ${largestMetrics / 1024 / 1024} MiB`);
  return body;
}

async function ofServers(about: CountersAbout): Promise<CountersRead> {
  const { server, pods, api, model, scheme, signal, timeoutMs } = about;
  const counters = serverCountersOf(server.name);
  const { metrics } = server;
  if (counters === undefined || metrics === undefined) {
    return { kind: "unreadable", why: `no counters of the model server ${server.name} are known` };
  }
  const atMs = about.clock.now();
  const names = new Set([startOfProcess, ...counters.metrics]);
  const at = { namespace: model.namespace, port: metrics.port };
  const read = await Promise.all(
    slots.flatMap((slot) =>
      pods[slot].map(async (pod) => {
        const of = metrics.port === server.httpPort ? scheme : "http";
        const path = podProxyPath({ ...at, pod, scheme: of }, metrics.path);
        const id = `the pod ${pod}`;
        const samples = samplesOf(textOf(id, await podMetrics(api, path, { signal, timeoutMs })), names);
        const start = samples.find(({ name }) => name === startOfProcess);
        const own = samples.filter(({ name }) => name !== startOfProcess);
        return { id: `${id}@${start?.value ?? ""}`, slot, own, isKnown: counters.isOf(own) };
      }),
    ),
  );
  if (!read.some(({ isKnown }) => isKnown)) {
    return { kind: "unreadable", why: `no pod shows counters of ${server.name} yet` };
  }
  return {
    kind: "read",
    by: `the model server (${server.name})`,
    where: `the pods of both slots`,
    // A pod that has had no request yet shows none.
    replicas: read.map(({ id, slot, own }) => ({ id, counted: { [slot]: counters.count(own) } })),
    atMs,
    isLate: false,
  };
}
