import { randomUUID } from "node:crypto";
import type { Counted, CountedModel } from "../../component/routers/counters/counted.ts";
import { defaults } from "../../core/defaults.ts";
import { isInterrupted, messageOf } from "../../core/errors.ts";
import { samplesOf } from "../../core/exposition.ts";
import { podProxyPath } from "../../core/pod-address.ts";
import type { Routing } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { SlotCounters } from "../../core/statistics/counters.ts";
import type { CounterSource, CountersOutcome, CountersRequest } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { namesOfRecord, type RolloutRecord } from "../record/record.ts";

/** Metrics of a controller with thousands of Ingresses. */
const largestMetrics = 32 * 1024 * 1024;
/** Seconds since 1970: another value is another process, whose counters began anew. */
const startOfProcess = "process_start_time_seconds";

/** What was sent to each slot through the ingress by this command itself. */
export class OwnRequests {
  #sent: Readonly<Record<Slot, SlotCounters>> = { blue: none, green: none };
  #underWay = 0;
  /** Changes whenever something was sent of which is not known to which slot it went, or what became of it. */
  #unknown = 0;

  /** Counts one request. `slot`: where it is led; `undefined`: where clients' requests go. */
  async counting<T>(
    slot: Slot | undefined,
    send: () => Promise<T>,
    isError: (answer: T) => boolean,
  ): Promise<T> {
    this.#underWay += 1;
    try {
      const answer = await send();
      if (slot === undefined) this.#unknown += 1;
      else {
        const { requests, events } = this.#sent[slot];
        const errors = (events.errors ?? 0) + (isError(answer) ? 1 : 0);
        this.#sent = { ...this.#sent, [slot]: { requests: requests + 1, events: { ...events, errors } } };
      }
      return answer;
    } catch (error) {
      this.#unknown += 1;
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  get sent(): Readonly<Record<Slot, SlotCounters>> {
    return this.#sent;
  }

  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  get unknown(): number {
    return this.#unknown;
  }
}

const none: SlotCounters = { requests: 0, events: { errors: 0, latency: 0 } };

/** The model whose requests are counted, as the executor saw it last. */
export interface CountedRollout {
  readonly record: RolloutRecord;
  readonly routing: Routing;
}

/** One replica's metrics, and what tells it from what it was before it was started again. */
interface Replica {
  readonly id: string;
  readonly text: string;
}

/** Reads what the ingress controller has counted of a model. */
export class TrafficCounters {
  readonly #context: RolloutContext;
  readonly #own: OwnRequests;
  /** Counters that another command read are none that this one goes on from: what that one had sent is not known. */
  readonly #command = randomUUID();

  constructor(context: RolloutContext, own: OwnRequests) {
    this.#context = context;
    this.#own = own;
  }

  /** `proofs`: changes with each proof at the ingress. */
  async read(seen: CountedRollout, proofs: number, request: CountersRequest): Promise<CountersOutcome> {
    const { record, routing } = seen;
    const { router } = locationOf(this.#context, record);
    const known = router.counters ?? [];
    const isDisturbed = this.#own.isUnderWay;
    const unknown = this.#own.unknown;
    let replicas: readonly Replica[];
    try {
      replicas = (
        await Promise.all(request.sources.map((source) => this.#replicasOf(source, request)))
      ).flat();
    } catch (error) {
      if (isInterrupted(error) || request.signal.aborted) throw error;
      return { kind: "unreadable", why: messageOf(error) };
    }
    const names = new Set(known.flatMap(({ metrics, started = startOfProcess }) => [started, ...metrics]));
    const read = replicas.map(({ id, text }) => ({ id, samples: samplesOf(text, names) }));
    const counters = known.find((one) => read.some(({ samples }) => one.isOf(samples)));
    const strange = read.find(({ samples }) => counters?.isOf(samples) !== true);
    if (counters === undefined || strange !== undefined || read.length === 0) {
      const who = known.map(({ controller }) => controller).join(" and ");
      const expected =
        who === "" ? `the router ${router.name} has none` : `the router ${router.name} knows those of ${who}`;
      const where =
        strange === undefined ? "no replica was found" : `${strange.id} shows no counters of requests`;
      return { kind: "unreadable", why: `${where} (${expected})` };
    }
    const model = modelOf(seen, this.#context, request.latency);
    const counted = read.map(({ samples }) => counters.count(samples, model));
    const started = read.map(({ id, samples }) => {
      const [start] = samples.filter(({ name }) => name === (counters.started ?? startOfProcess));
      return `${id}@${start?.value ?? ""}`;
    });
    return {
      kind: "read",
      atMs: this.#context.clock.now(),
      controller: counters.controller,
      slots: together(counted, request.latency),
      bounds: counted.find(({ bounds }) => bounds.length > 0)?.bounds ?? [],
      own: this.#own.sent,
      era: [this.#command, proofs, unknown, routing.main, ...started.toSorted()].join(" "),
      isDisturbed: isDisturbed || this.#own.isUnderWay,
      steps: Math.max(1, (record.rollout?.plan.steps ?? []).filter(({ weight }) => weight < 100).length),
    };
  }

  async #replicasOf(source: CounterSource, request: CountersRequest): Promise<Replica[]> {
    const { signal, timeoutMs } = request;
    if (source.kind === "url") {
      const { host } = new URL(source.url);
      const send = this.#context.calls.send;
      const about = { method: "GET", url: source.url, headers: { accept: "text/plain" } } as const;
      const answer = await send({ ...about, largest: largestMetrics, timeoutMs, signal }).catch(
        (error: unknown) => {
          throw new Error(`the metrics at ${host} cannot be read: ${messageOf(error)}`, { cause: error });
        },
      );
      return [replicaOf(host, answer.status, answer)];
    }
    const { api } = this.#context;
    const { namespace, selector, port, path } = source;
    const { items } = await api.json<{ items: PodItem[] }>({
      method: "GET",
      path: `/api/v1/namespaces/${namespace}/pods`,
      query: { labelSelector: selector, fieldSelector: "status.phase=Running" },
      signal,
      timeoutMs,
    });
    const pods = items.map(({ metadata }) => metadata.name);
    if (pods.length === 0) throw new Error(`no pod with ${selector} runs in the namespace ${namespace}`);
    return await Promise.all(
      pods.map(async (pod) => {
        const answer = await api.request({
          method: "GET",
          path: podProxyPath({ namespace, pod, port, scheme: "http" }, path),
          headers: { accept: "text/plain" },
          maxBytes: largestMetrics,
          ...{ signal, timeoutMs },
        });
        return replicaOf(`the pod ${pod}`, answer.status, answer);
      }),
    );
  }
}

interface PodItem {
  readonly metadata: { readonly name: string };
}

function replicaOf(
  id: string,
  status: number,
  { body, truncated }: { body: string; truncated?: boolean },
): Replica {
  if (status !== 200) throw new Error(`the metrics of ${id} cannot be read: HTTP ${status}`);
  // What is missing would look like a counter that began anew.
  if (truncated === true)
    throw new Error(`the metrics of ${id} are larger than ${largestMetrics / 1024 / 1024} MiB`);
  return { id, text: body };
}

function modelOf(
  { record, routing }: CountedRollout,
  context: RolloutContext,
  latency: number | undefined,
): CountedModel {
  const names = namesOfRecord(record);
  const { ingress, service } = names;
  return {
    namespace: context.namespace,
    main: ingress,
    services: service,
    names,
    servicePort: record.settings.servicePort ?? defaults.servicePort,
    routing,
    latency,
  };
}

/** The sums of all replicas. A slot that none has counted has had no request: its series appear with the first one. */
function together(counted: readonly Counted[], latency: number | undefined): Record<Slot, SlotCounters> {
  const isBound = latency !== undefined && counted.some(({ bounds }) => bounds.includes(latency));
  const of = (slot: Slot): SlotCounters => {
    const own = counted.flatMap((one) => one.slots[slot] ?? []);
    const events = (name: string) => own.reduce((sum, one) => sum + (one.events[name] ?? 0), 0);
    return {
      requests: own.reduce((sum, { requests }) => sum + requests, 0),
      events: { errors: events("errors"), ...(isBound ? { latency: events("latency") } : {}) },
    };
  };
  return Object.fromEntries(slots.map((slot) => [slot, of(slot)])) as Record<Slot, SlotCounters>;
}
