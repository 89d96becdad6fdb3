import type { Send } from "../../calls/io.ts";
import type { ControllerCounters, CountedModel } from "../../component/routers/counters/counted.ts";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Sample } from "../../core/exposition.ts";
import { isFields } from "../../core/fields.ts";
import { slots } from "../../core/slots.ts";

/** What a Prometheus is asked with. */
export interface PrometheusIo {
  readonly send: Send;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Prometheus {
  readonly url: string;
  headers(): Promise<Readonly<Record<string, string>>>;
}

/** The largest answer that is read: a controller's series of one model, all its replicas. */
const largestAnswer = 32 * 1024 * 1024;

/**
 * The controller's own series, as a Prometheus scraped them last, each replica's by itself: their sum would hide that one of them began anew.
 * `atMs`: when the replica that was scraped first was scraped, by this machine's clock.
 */
export async function readPrometheus(
  prometheus: Prometheus,
  known: readonly ControllerCounters[],
  model: CountedModel,
  io: PrometheusIo,
): Promise<{
  readonly atMs: number;
  readonly replicas: readonly { readonly id: string; readonly samples: readonly Sample[] }[];
}> {
  const { host } = new URL(prometheus.url);
  const queries = known.map((counters) => seriesOf(counters, model));
  const askedAt = io.clock.now();
  const values = (await Promise.all(queries.map((query) => ask(prometheus, query, io)))).flat();
  if (values.length === 0) {
    const names = known.map(({ metrics: [requests] }) => requests).join(" and ");
    throw new Error(`Prometheus has no series of the model yet (${names})`);
  }
  const scraped = (
    await Promise.all(queries.map((query) => ask(prometheus, `timestamp(${query})`, io)))
  ).flat();
  // By its own clock: that of this machine may be another one.
  const age = Math.max(0, ...scraped.map(({ value, atSeconds }) => atSeconds - value));
  return { atMs: askedAt - age * 1000, replicas: replicasOf(values, host, known) };
}

function replicasOf(
  values: readonly Value[],
  host: string,
  known: readonly ControllerCounters[],
): readonly { readonly id: string; readonly samples: readonly Sample[] }[] {
  return onceEach(values, host).map((series) => {
    const { pod, instance } = series[0]?.labels ?? {};
    const samples = series.map(({ labels, value }) => ({
      name: labels.__name__ ?? "",
      labels: withOwnLabels(
        labels,
        known.find(({ metrics }) => metrics.includes(labels.__name__ ?? "")),
      ),
      value,
    }));
    return { id: pod ?? instance ?? "", samples };
  });
}

/**
 * The series of each replica, once: two jobs that scrape the same process, or two copies of a Prometheus behind one address, would count each request
 * twice, and what is counted twice looks more certain than it is.
 */
function onceEach<T extends Labelled>(all: readonly T[], host: string): readonly (readonly T[])[] {
  const clusters = [...new Set(all.flatMap(({ labels }) => labels.cluster ?? []))].toSorted();
  if (clusters.length > 1) {
    throw new Error(
      `Prometheus at ${host} has series of the model from several clusters (${clusters.slice(0, 5).join(", ")}), which cannot be told apart`,
    );
  }
  const byTarget = new Map<string, T[]>();
  for (const one of all) {
    const key = JSON.stringify(targetLabels.map((name) => one.labels[name] ?? ""));
    byTarget.set(key, [...(byTarget.get(key) ?? []), one]);
  }
  // Of the targets with most series first: the others of the same process are left out.
  const targets = [...byTarget]
    .toSorted(([a, one], [b, two]) => two.length - one.length || (a < b ? -1 : 1))
    .map(([, series]) => series);
  const seen = new Set<string>();
  return targets.filter((series) => {
    const { pod, namespace = "", instance } = series[0]?.labels ?? {};
    const names = [
      ...(pod === undefined ? [] : [`pod ${namespace}/${pod}`]),
      ...(instance === undefined ? [] : [`instance ${instance}`]),
    ];
    const isKnown = names.length === 0 ? seen.has("") : names.some((name) => seen.has(name));
    for (const name of names.length === 0 ? [""] : names) seen.add(name);
    return !isKnown;
  });
}

/** What tells the targets of a Prometheus apart, and copies of one: `service` may be a label of the controller's own. */
const targetLabels = [
  ...["job", "instance", "namespace", "pod", "container", "endpoint"],
  ...["prometheus", "prometheus_replica", "replica", "receive", "tenant_id"],
] as const;

/** The series of the model, also where Prometheus keeps a target's own labels as `exported_…`. */
function seriesOf(counters: ControllerCounters, model: CountedModel): string {
  const { label, expression } = counters.matching(model);
  const names = `__name__=~${JSON.stringify(counters.metrics.slice(0, 2).join("|"))}`;
  const matches = JSON.stringify(expression);
  return `({${names}, ${label}=~${matches}} or {${names}, exported_${label}=~${matches}})`;
}

/** As the controller itself shows them. */
function withOwnLabels(
  labels: Readonly<Record<string, string>>,
  counters: ControllerCounters | undefined,
): Readonly<Record<string, string>> {
  const own = Object.entries(labels).flatMap(([name, value]): [string, string][] =>
    name.startsWith("exported_") ? [[name.slice("exported_".length), value]] : [],
  );
  const empty = (counters?.empty ?? []).map((name) => [name, ""] as const);
  return { ...Object.fromEntries(empty), ...labels, ...Object.fromEntries(own) };
}

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
}

interface Value extends Labelled {
  readonly value: number;
  /** The moment that the query is about, by the clock of Prometheus. */
  readonly atSeconds: number;
}

/** An instant query. */
async function ask(prometheus: Prometheus, query: string, io: PrometheusIo): Promise<readonly Value[]> {
  const data = await asked(prometheus, "query", { query }, io);
  return data.flatMap(({ metric, value }): Value[] =>
    isPair(value) ? [{ labels: metric, value: Number(value[1]), atSeconds: Number(value[0]) }] : [],
  );
}

/** Of the ten minutes in which a Prometheus began it knows a part. */
const wholeTens = 6;

/**
 * Requests per second of the model in each ten minutes of the last hour, as far as they are known in whole: what plans are made with. Which slot was
 * live then does not matter.
 */
export async function lastHour(
  prometheus: Prometheus,
  known: readonly ControllerCounters[],
  model: CountedModel,
  io: PrometheusIo,
): Promise<readonly number[]> {
  const { host } = new URL(prometheus.url);
  const end = Math.floor(io.clock.now() / 1000);
  const range = { start: String(end - 3000), end: String(end), step: "600" };
  const read = async (counters: ControllerCounters) => {
    const [requests = ""] = counters.metrics;
    const query = rateOf(counters, model, requests);
    const rows = await asked(prometheus, "query_range", { query, ...range }, io);
    return rows
      .map(({ metric, values }) => ({ labels: metric, values }))
      .filter(({ labels }) =>
        isOfModel(counters, model, { name: requests, labels: withOwnLabels(labels, counters) }),
      );
  };
  const moments = new Map<number, { labels: Readonly<Record<string, string>>; value: number }[]>();
  for (const { labels, values } of (await Promise.all(known.map(read))).flat()) {
    for (const [at, text] of Array.isArray(values) ? values.filter(isPair) : []) {
      const value = Number(text);
      if (!Number.isFinite(value)) continue;
      moments.set(Number(at), [...(moments.get(Number(at)) ?? []), { labels, value }]);
    }
  }
  // At each moment by itself: a process may have come after another one at the same address.
  const means = [...moments]
    .toSorted(([a], [b]) => a - b)
    .map(([, values]) =>
      onceEach(values, host)
        .flat()
        .reduce((sum, { value }) => sum + value, 0),
    );
  return means.length < wholeTens ? means.slice(1) : means;
}

function rateOf(counters: ControllerCounters, model: CountedModel, metric: string): string {
  const { label, expression } = counters.matching(model);
  const of = (name: string) => `rate(${metric}{${name}=~${JSON.stringify(expression)}}[10m])`;
  return `${of(label)} or ${of(`exported_${label}`)}`;
}

/** Whether a series counts requests to one of the slots, whichever of them was live. */
function isOfModel(
  counters: ControllerCounters,
  model: CountedModel,
  { name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  const { main, candidate } = model.routing;
  const routings = [model.routing, { ...model.routing, main: candidate, candidate: main }];
  return routings.some((routing) => {
    const counted = counters.count([{ name, labels, value: 1 }], { ...model, routing });
    return slots.some((slot) => counted[slot] !== undefined);
  });
}

interface Row {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: unknown;
  readonly values?: unknown;
}

async function asked(
  { url, headers }: Prometheus,
  endpoint: "query" | "query_range",
  parameters: Readonly<Record<string, string>>,
  { send, timeoutMs, signal }: PrometheusIo,
): Promise<readonly Row[]> {
  const { host } = new URL(url);
  const address = new URL(`${url.replace(/\/+$/, "")}/api/v1/${endpoint}`);
  address.search = new URLSearchParams(parameters).toString();
  const answer = await send({
    method: "GET",
    url: address.href,
    headers: { accept: "application/json", ...(await headers()) },
    largest: largestAnswer,
    timeoutMs,
    signal,
  }).catch((error: unknown) => {
    throw new Error(`Prometheus at ${host} cannot be asked: ${messageOf(error)}`, { cause: error });
  });
  if (answer.status !== 200 || answer.truncated === true) {
    const why =
      answer.truncated === true ? "its answer is too large" : `HTTP ${answer.status}${reasonIn(answer.body)}`;
    throw new Error(`Prometheus at ${host} does not answer a query: ${why}`);
  }
  const rows = rowsIn(answer.body);
  if (rows === undefined) throw new Error(`what answers at ${host} is no Prometheus`);
  return rows;
}

function rowsIn(body: string): readonly Row[] | undefined {
  const answer = json(body);
  const result = isFields(answer) && isFields(answer.data) ? answer.data.result : undefined;
  if (!Array.isArray(result)) return undefined;
  return result.filter((row): row is Row => isFields(row) && isFields(row.metric));
}

function reasonIn(body: string): string {
  const answer = json(body);
  return isFields(answer) && typeof answer.error === "string" ? `, ${answer.error.slice(0, 200)}` : "";
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}
