import { messageOf } from "../../core/errors.ts";
import { headline } from "../../core/headline.ts";
import type { IdentityAnswer } from "../../core/identity.ts";
import { type Met, whatWasMet } from "../../core/met.ts";
import { type Routing, splitOf } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { GateIo, IngressOutcome, IngressRequest, PodsSeen } from "../../gates/io.ts";
import type { Gate } from "../../gates/kinds.ts";
import type { Arrival } from "../../gates/protocols/event-stream.ts";
import { presentPods } from "../../slots/occupants.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { previewValue, reachOf } from "../ingress/reach-slot.ts";
import { type Endpoint, ingressEndpoints } from "../observe/ingress-endpoints.ts";
import type { Observation } from "../observe/observation.ts";
import { observeSlot } from "../observe/observe.ts";
import { statusOfGrpc } from "../proof/grpc-status.ts";
import { probeHost } from "../proof/identity-question.ts";
import { isUntrusted } from "../proof/probe.ts";
import type { RolloutRecord } from "../record/record.ts";
import { ClientsRate } from "./clients-rate.ts";
import { TrafficCounters } from "./counter-io.ts";
import { OwnRequests } from "./own-requests.ts";
import { sourcesOfClients } from "./require-counted-copies.ts";

/** What the executor saw last. */
export interface Seen {
  readonly record: RolloutRecord;
  readonly observation: Observation;
  readonly routing: Routing;
  /** The slot that the release is in. */
  readonly slot: Slot;
}

/** How the gates of a rollout reach the ingress and see the pods. `proofs`: changes with each proof at the ingress. */
export function gateIo(context: RolloutContext, now: () => Seen, proofs: () => number = () => 0): GateIo {
  let asked = 0;
  const own = new OwnRequests(context.clock);
  const counters = new TrafficCounters(context, own, async (slot, request) => {
    const seen = now();
    return await own.counting(
      slot,
      () => askIngress(context, { ...seen, slot }, request, asked++),
      isServerError,
    );
  });
  const rate = new ClientsRate();
  return {
    calls: context.calls,
    ask: (request) => {
      const seen = now();
      const { header } = locationOf(context, seen.record).router.capabilities;
      const wanted = request.route === "live" ? otherSlot(seen.slot) : seen.slot;
      const led = request.route !== "clients" && header ? wanted : undefined;
      return own.counting(led, () => askIngress(context, seen, request, asked++), isServerError);
    },
    clientsRate: async (signal) => {
      const seen = now();
      const request = { sources: sourcesOfClients(context), timeoutMs: rateTimeoutMs, signal };
      return rate.see(await counters.readClients(seen, proofs(), request), otherSlot(seen.slot));
    },
    liveAskers: context.config.rollout.gates.filter(asksLive).length,
    // Copies are counted by whom clients' requests are, unless their gate says another.
    counters: (request) => {
      const { of, sources } = request;
      const named = of === "copies" && sources === undefined ? sourcesOfClients(context) : sources;
      return counters.read(now(), proofs(), { ...request, sources: named });
    },
    reach: (signal) => reachOf(context, now(), signal),
    pods: async (signal) => {
      const { record, slot } = now();
      const observed = await observeSlot({ ...locationOf(context, record), signal }, slot);
      return podsSeen(observed);
    },
  };
}

/** Whether it sends requests to the live slot at a pace of its own. */
function asksLive(gate: Gate): boolean {
  if (gate.kind === "drift") return gate.live === "asked";
  return gate.kind === "parity" || gate.kind === "labels" || gate.kind === "performance";
}

/** How long the counters may take before a gate asks without them. */
const rateTimeoutMs = 5_000;

const isServerError = (outcome: IngressOutcome) => outcome.kind === "answer" && outcome.answer.status >= 500;

function podsSeen(observed: Awaited<ReturnType<typeof observeSlot>>): PodsSeen {
  const ready = new Set(observed.endpoints.ready.map(({ pod }) => pod));
  const pods = presentPods(observed);
  return {
    // Where somebody else runs them, all that are there.
    desired: observed.deployment?.desiredReplicas ?? Math.max(1, pods.length),
    pods: pods.map(({ name, uid, restarts = 0, lastEnd }) => ({
      id: uid ?? name,
      name,
      ready: ready.has(name),
      restarts,
      lastEnd,
    })),
  };
}

const untrustedHint =
  "Its certificate is not trusted here: name who signs it in NODE_EXTRA_CA_CERTS, or set insecure: true in the gate's request";

/** No connection came about, so nobody behind the ingress is to blame. */
function isUnreachable(error: unknown): boolean {
  const codes = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"];
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

async function askIngress(
  context: RolloutContext,
  { record, observation, routing, slot }: Seen,
  request: IngressRequest,
  turn: number,
): Promise<IngressOutcome> {
  const { settings } = record;
  const { ingress, previewHeader } = settings;
  const { router } = locationOf(context, record);
  const found = await addresses(context, observation, ingress.host, request.signal);
  if ("why" in found) return { kind: "unreachable", why: found.why };
  const { endpoints } = found;
  // Each of its addresses in turn.
  const endpoint = endpoints[turn % endpoints.length];
  if (endpoint === undefined) return { kind: "unreachable", why: "the Ingress has no address" };
  const wanted = request.route === "live" ? otherSlot(slot) : slot;
  const forced = previewValue(router, routing, wanted);
  // Whoever cannot be led there asks nobody else in its place.
  if (request.route === "live" && forced === undefined && splitOf(routing)[wanted] < 100) {
    return { kind: "unreachable", why: `no request can be led to ${wanted}, which has been live` };
  }
  const header = forced ?? (request.route === "release" ? router.force(routing, "main") : undefined);
  const startedAt = context.clock.now();
  const arrivals: Arrival[] = [];
  try {
    const answer = await context.probe({
      endpoint,
      host: probeHost(ingress.host),
      path: request.path,
      method: request.method,
      body: request.body,
      grpc: request.grpc,
      onData: (bytes) => {
        if (arrivals.length < mostArrivals) arrivals.push({ bytes, atMs: context.clock.now() - startedAt });
      },
      verified: !request.insecure,
      headers: {
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
        ...(request.route !== "clients" && header !== undefined ? { [previewHeader]: header } : {}),
      },
      timeoutMs: request.timeoutMs,
      signal: request.signal,
    });
    const latencyMs = context.clock.now() - startedAt;
    const limit = limitMet(answer, endpoint, ingress.host, context.clock.now());
    if (limit !== undefined) {
      // The next request is to have a better chance, and not to make it worse.
      const pauseMs = Math.min(longestPauseMs, limit.retryAfterMs ?? pauseAfterLimitMs);
      await context.clock.sleep(pauseMs, request.signal);
    }
    const { body, truncated, message } = answer;
    const status = request.grpc === undefined ? answer.status : statusOfGrpc(answer);
    const more = {
      ...(request.grpc === undefined ? { arrivals } : { message }),
      ...(truncated === true ? { truncated } : {}),
      ...(limit === undefined ? {} : { limit: limit.why }),
    };
    return { kind: "answer", answer: { status, body, ...more }, latencyMs };
  } catch (error) {
    if (request.signal.aborted) throw error;
    const why = messageOf(error);
    if (isUntrusted(error)) return { kind: "unreachable", why: `${endpoint.url}: ${why}. ${untrustedHint}` };
    return isUnreachable(error) ? { kind: "unreachable", why } : { kind: "broken", why };
  }
}

/** Of a stream that is longer the rest came at the end, as far as anybody asks. */
const mostArrivals = 10_000;

const pauseAfterLimitMs = 500;
const longestPauseMs = 5_000;

/** Somebody limits how often may be asked: that is no answer of the release. An overloaded one answers 503, and that is. */
function limitMet(
  answer: IdentityAnswer,
  { protocol }: Endpoint,
  host: string,
  now: number,
): Met | undefined {
  if (answer.status === 503) return undefined;
  const met = whatWasMet(answer, { host, protocol, isLimited: false, now });
  return met?.kind === "limit" || met?.kind === "challenge" ? met : undefined;
}

/** Where the ingress is; that it cannot be found out says nothing about the release. */
async function addresses(
  { api, config, lookup, routes }: RolloutContext,
  { ingress }: Observation,
  host: string,
  signal: AbortSignal,
): Promise<{ readonly endpoints: readonly Endpoint[] } | { readonly why: string }> {
  try {
    const configured = config.endpoints;
    return { endpoints: await ingressEndpoints({ api, configured, ingress, host, lookup, routes, signal }) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { why: headline(messageOf(error)) };
  }
}
