import type { CallIo } from "../../calls/io.ts";
import type { Slot } from "../../core/slots.ts";
import type { GateIo, IngressOutcome, IngressRequest } from "../../gates/io.ts";
import type { PodsSeen } from "../../gates/pods.ts";
import type { RolloutContext } from "../context.ts";
import { type Endpoint, ingressEndpoints } from "../ingress-endpoints.ts";
import type { SlotObservation } from "../observation.ts";
import { observe, observeSlot } from "../observe.ts";
import { probeHost } from "../question.ts";
import type { RolloutRecord } from "../record.ts";
import { locationOf } from "../subject.ts";

/** What gates that judge the release in a slot work with: the real thing. */
export function gateIo(context: RolloutContext, calls: CallIo, record: RolloutRecord, slot: Slot): GateIo {
  const location = locationOf(context, record);
  let found: Promise<readonly Endpoint[]> | undefined;
  let asked = 0;
  const endpoint = async (): Promise<Endpoint | undefined> => {
    found ??= endpointsOf(context, record);
    const endpoints = await found;
    asked += 1;
    // Each of its addresses in turn.
    return endpoints[asked % endpoints.length];
  };
  return {
    calls,
    pods: async (signal) => podsSeen(await observeSlot({ ...location, signal }, slot)),
    ask: async (request) => {
      const at = await endpoint();
      if (at === undefined) return { kind: "unreachable", why: "it has no address" };
      return await askAt(context, record, at, request);
    },
  };
}

async function endpointsOf(context: RolloutContext, record: RolloutRecord): Promise<readonly Endpoint[]> {
  const { api, config, lookup, signal } = context;
  const { ingress } = await observe(locationOf(context, record));
  const { host } = record.settings.ingress;
  return await ingressEndpoints({ api, configured: config.endpoints, ingress, host, lookup, signal });
}

async function askAt(
  { probe, clock }: RolloutContext,
  { settings }: RolloutRecord,
  endpoint: Endpoint,
  { route, path, method, headers, body, timeoutMs, signal }: IngressRequest,
): Promise<IngressOutcome> {
  const startedAt = clock.now();
  try {
    const answer = await probe({
      endpoint,
      host: probeHost(settings.ingress.host),
      path,
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
        ...(route === "release" ? { [settings.previewHeader]: "always" } : {}),
      },
      body,
      timeoutMs,
      signal,
    });
    return { kind: "answer", answer, latencyMs: clock.now() - startedAt };
  } catch (error) {
    // An interruption is no observation of the ingress.
    if (signal.aborted) await clock.sleep(0, signal);
    const why = error instanceof Error ? error.message || error.name : String(error);
    return { kind: isUnreachable(error) ? "unreachable" : "broken", why };
  }
}

function isUnreachable(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"].includes(code);
}

/** The pods of a slot as gates see them: what runs a former template is on its way out. Pure. */
export function podsSeen({ deployment, endpoints, pods }: SlotObservation): PodsSeen {
  const ready = new Set(endpoints.ready.map(({ pod }) => pod));
  const present = pods.filter(({ terminating, former }) => !terminating && !former);
  return {
    desired: deployment?.desiredReplicas ?? present.length,
    pods: present.map((pod) => ({
      name: pod.name,
      ready: ready.has(pod.name),
      restarts: pod.restarts ?? 0,
      lastEnd: pod.lastEnd,
    })),
  };
}
