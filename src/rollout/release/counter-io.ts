import { randomUUID } from "node:crypto";
import { defaults } from "../../core/defaults.ts";
import { podScheme } from "../../core/pod-address.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { type CountedSlot, countedTogether } from "../../core/statistics/counted.ts";
import type { CountersOutcome, CountersRequest } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { findCounters } from "../observe/find-counters.ts";
import {
  type CountersAbout,
  type CountersRead,
  namedSource,
  readCounters,
  type TrafficSource,
} from "../observe/read-counters.ts";
import { namesOfRecord, type RolloutRecord } from "../record/record.ts";
import { type CountedRollout, longestRequestMs, stepsOf } from "./counted-rollout.ts";
import { type AskSlot, OwnProbes } from "./own-probes.ts";
import type { OwnRequests } from "./own-requests.ts";

/** Where nobody counts, that is looked for again after this time. */
const lookAgainMs = 60_000;

type Found =
  | { readonly kind: "found"; readonly source: TrafficSource }
  | { readonly kind: "none"; readonly why: string; readonly until: number };

/** Reads what was counted of a model's requests, by whom the configuration says or who is found. */
export class TrafficCounters {
  readonly #context: RolloutContext;
  readonly #own: OwnRequests;
  /** Counters that another command read are none that this one goes on from: what that one had sent is not known. */
  readonly #command = randomUUID();
  #found: Found | undefined;
  /** How often a replica's counters began anew without its process. */
  #resets = 0;
  #last: { readonly atMs: number; readonly requests: ReadonlyMap<string, number> } | undefined;
  #changed: { readonly key: string; readonly atMs: number } | undefined;

  readonly #probes: OwnProbes | undefined;

  /** `ask`: sends a request to a slot through the ingress. @default nothing is sent */
  constructor(context: RolloutContext, own: OwnRequests, ask?: AskSlot) {
    this.#context = context;
    this.#own = own;
    this.#probes = ask && new OwnProbes(context, ask);
  }

  /** `proofs`: changes with each proof at the ingress. Where nobody counts, requests of our own take the place of clients'. */
  async read(seen: CountedRollout, proofs: number, request: CountersRequest): Promise<CountersOutcome> {
    const read = await this.readClients(seen, proofs, request);
    if (read.kind === "read" || request.sources !== undefined || this.#found?.kind !== "none") return read;
    return (await this.#probes?.read(seen, read.why, request.signal)) ?? read;
  }

  /** The same, and nothing where nobody counts clients' requests. */
  async readClients(
    seen: CountedRollout,
    proofs: number,
    request: CountersRequest,
  ): Promise<CountersOutcome> {
    const { record, routing } = seen;
    const changedAt = this.#changedAt(`${proofs} ${JSON.stringify(routing)}`);
    await this.#own.pause(request.signal);
    const { ended, isUnderWay } = this.#own;
    const read = await this.#readSource(countersAbout(this.#context, seen, request), seen, request);
    if (read.kind === "unreadable") return read;
    // What was read late is of a moment that is over: own requests of that moment count, and edges that lie before the change are none.
    const { isLate } = read;
    const isBefore = this.#last !== undefined && isLate && this.#last.atMs < changedAt;
    const isDisturbed = isLate
      ? isBefore || read.atMs < changedAt || this.#own.wasUnderWay(read.atMs)
      : isUnderWay || this.#own.isUnderWay || this.#own.ended !== ended;
    this.#noteResets(read);
    return {
      kind: "read",
      atMs: read.atMs,
      controller: read.by,
      where: read.where,
      slots: together(read),
      own: this.#own.sentBy(isLate ? read.atMs : undefined),
      era: [
        this.#command,
        proofs,
        this.#own.unknown,
        routing.main,
        this.#resets,
        ...read.replicas.map(({ id }) => id).toSorted(),
      ].join(" "),
      isDisturbed,
      isShareChecked: !isGrpc(record),
      longestRequestMs: longestRequestMs(record),
      steps: stepsOf(record),
    };
  }

  async #readSource(
    about: CountersAbout,
    seen: CountedRollout,
    { sources }: CountersRequest,
  ): Promise<CountersRead> {
    if (sources !== undefined) return await readCounters(namedSource(sources), about);
    if (this.#found?.kind === "found") {
      const read = await readCounters(this.#found.source, about);
      // It may have moved; what is found instead begins anew.
      if (read.kind === "unreadable") this.#found = undefined;
      return read;
    }
    const now = this.#context.clock.now();
    if (this.#found?.kind === "none" && now < this.#found.until) {
      return { kind: "unreadable", why: this.#found.why };
    }
    const found = await foundCounters(this.#context, about, seen);
    if (found.kind === "none") {
      const why = nobodyCounts(found.tried);
      this.#found = { kind: "none", why, until: now + lookAgainMs };
      return { kind: "unreadable", why };
    }
    this.#found = found;
    return found.read;
  }

  /** When the routing or its proof changed last. */
  #changedAt(key: string): number {
    if (this.#changed?.key !== key) this.#changed = { key, atMs: this.#context.clock.now() };
    return this.#changed.atMs;
  }

  #noteResets({ atMs, replicas }: Extract<CountersRead, { kind: "read" }>): void {
    const requests = new Map(
      replicas.flatMap(({ id, counted }) =>
        slots.map((slot) => [`${id} ${slot}`, counted[slot]?.requests ?? 0] as const),
      ),
    );
    const isAnew = [...requests].some(([key, count]) => count < (this.#last?.requests.get(key) ?? 0));
    if (isAnew) this.#resets += 1;
    this.#last = { atMs, requests };
  }
}

/** Looks for who counts the requests of a model. */
export async function foundCounters(
  { config }: RolloutContext,
  about: CountersAbout,
  { record, observation }: CountedRollout,
): Promise<Awaited<ReturnType<typeof findCounters>>> {
  const places = config.metrics?.controller;
  if (isGrpc(record) && places === undefined) {
    return { kind: "none", tried: ["ingress controllers count a failed gRPC request as HTTP 200"] };
  }
  return await findCounters({ about, places, className: observation.ingress?.className });
}

/** In words, for whoever wonders why nothing is compared. */
export function nobodyCounts(tried: readonly string[]): string {
  return `nobody was found who counts clients' requests by slot: ${[...new Set(tried)].join("; ")}`;
}

/** What is asked about a model. */
export function countersAbout(
  context: RolloutContext,
  { record, routing, observation }: CountedRollout,
  { timeoutMs, signal }: Pick<CountersRequest, "timeoutMs" | "signal">,
): CountersAbout {
  const names = namesOfRecord(record);
  const { ingress, service } = names;
  const { server } = record.settings;
  const prometheus = context.config.metrics?.prometheus;
  const pods = (slot: Slot) =>
    observation.slots[slot].pods.filter(({ phase }) => phase === "Running").map(({ name }) => name);
  return {
    api: context.api,
    send: context.calls.send,
    clock: context.clock,
    prometheus: prometheus && { url: prometheus.url, headers: context.prometheusHeaders },
    router: locationOf(context, record).router,
    model: {
      namespace: context.namespace,
      main: ingress,
      services: service,
      names,
      servicePort: record.settings.servicePort ?? defaults.servicePort,
      routing,
    },
    server,
    scheme: podScheme(record.settings.ingress.protocol, server),
    pods: { blue: pods("blue"), green: pods("green") },
    timeoutMs,
    signal,
  };
}

function isGrpc({ settings }: RolloutRecord): boolean {
  return settings.ingress.protocol === "grpc" || settings.ingress.protocol === "grpcs";
}

/** Of all replicas. A slot that none has counted has had no request: its series appear with the first one. */
export function together({ replicas }: Extract<CountersRead, { kind: "read" }>): Record<Slot, CountedSlot> {
  const counted = replicas.map((one) => one.counted);
  return Object.fromEntries(slots.map((slot) => [slot, countedTogether(counted, slot)])) as Record<
    Slot,
    CountedSlot
  >;
}
