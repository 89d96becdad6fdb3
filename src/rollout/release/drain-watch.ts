import {
  type DrainMemory,
  describeInFlight,
  drainedAfter,
  type InFlight,
  inFlightOf,
  nothingSeen,
  type PodInFlight,
} from "../../core/drain/evidence.ts";
import { gaugeSum } from "../../core/drain/gauge.ts";
import { isInterrupted, messageOf } from "../../core/errors.ts";
import type { StepEvent } from "../../core/events.ts";
import type { DrainingEvidence, MetricsEndpoint, ModelServer } from "../../core/model.ts";
import { type PodScheme, podProxyPath, podScheme } from "../../core/pod-address.ts";
import { goalOf } from "../../core/rollout/state.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import { largestPodAnswer } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import type { AppliedSettings, RolloutRecord } from "../record/record.ts";

/** How long one pod may take to hand out its metrics. */
const readMs = 5_000;

/**
 * Whether requests are still in flight in the slot that lost the traffic: reads the model server's gauges on each of its pods, shows
 * what they say, and says in the end what the evidence was. Lives as long as a command works on a rollout.
 */
export class DrainWatch {
  /** The drain that was looked at last. */
  #about: string | undefined;
  /** The step, while it is shown and has not ended. */
  #shown: Pick<StepEvent, "type" | "id" | "title"> | undefined;
  #memory: DrainMemory = nothingSeen;

  /** Looks once; outside the phase `drain` nothing is asked. `drained` is undefined where nothing shows it; `at` is when. */
  async look(
    context: RolloutContext,
    record: RolloutRecord,
    observation: Observation,
  ): Promise<{ readonly drained: boolean | undefined; readonly at: number }> {
    const entry = record.rollout;
    if (entry?.state.phase !== "drain") return { drained: undefined, at: context.clock.now() };
    const { state, plan } = entry;
    const slot = otherSlot(goalOf(state));
    const about = `${entry.startedAt} ${slot} ${state.since}`;
    if (about !== this.#about) {
      this.#about = about;
      this.#shown = undefined;
      this.#memory = nothingSeen;
    }
    const observed = observation.slots[slot];
    if ((observed.deployment?.desiredReplicas ?? 0) === 0) {
      this.#show(context, slot, "skipped", "no replica is left");
      return { drained: undefined, at: context.clock.now() };
    }
    const startedAt = context.clock.now();
    const seen = await inFlight(context, record.settings, observed);
    const endedAt = context.clock.now();
    const lagMs = (record.settings.server.draining?.lagSeconds ?? 0) * 1000;
    const { memory, drained } = drainedAfter(this.#memory, seen, { startedAt, endedAt, lagMs });
    this.#memory = memory;
    const leftMs = state.since + plan.drainMs - endedAt;
    if (drained === true) this.#show(context, slot, "done", describeInFlight(seen));
    else if (leftMs > 0) this.#show(context, slot, "progress", describeInFlight(seen), leftMs);
    else this.#overdue(context, slot, seen, plan.drainMs);
    return { drained, at: endedAt };
  }

  /** Nobody looks any more: a drain that has not ended is gone on with by the next who does. */
  leave({ events }: RolloutContext): void {
    if (this.#shown === undefined) return;
    events({ ...this.#shown, state: "interrupted" });
    this.#shown = undefined;
  }

  #overdue(context: RolloutContext, slot: Slot, seen: InFlight, limitMs: number): void {
    const seconds = Math.round(limitMs / 1000);
    if (seen.kind === "unknown") {
      this.#show(context, slot, "done", `assumed after ${seconds} s: ${describeInFlight(seen)}`);
      return;
    }
    this.#show(context, slot, "done", `${describeInFlight(seen)}; the limit of ${seconds} s has passed`);
    if (seen.requests === 0) return;
    context.events({
      type: "warning",
      code: "drain-limit",
      message: `${slot} still has ${seen.requests} ${seen.requests === 1 ? "request" : "requests"} in progress after ${seconds} s of draining: what is not answered when its pods end is lost.`,
      hint: "Give requests more time: `rollout.drain`, and the model server's `longestRequestSeconds`.",
    });
  }

  #show(
    { events }: RolloutContext,
    slot: Slot,
    state: "progress" | "done" | "skipped",
    detail: string,
    remainingMs?: number,
  ): void {
    const about = { type: "step", id: `drain-${slot}`, title: `Drain ${slot}` } as const;
    if (this.#shown === undefined) events({ ...about, state: "started" });
    this.#shown = state === "progress" ? about : undefined;
    events({ ...about, state, detail, ...(remainingMs === undefined ? {} : { remainingMs }) });
  }
}

interface Evidence {
  readonly metrics: MetricsEndpoint;
  readonly draining: DrainingEvidence;
  readonly scheme: PodScheme;
}

/** Where and by which gauges a slot's requests in flight are seen, or why they are not. */
function evidenceOf({ server, ingress }: AppliedSettings): Evidence | string {
  const { metrics, draining, name }: ModelServer = server;
  if (metrics === undefined || draining === undefined) return `no gauge of the model server ${name} is known`;
  const isGrpc = ingress.protocol === "grpc" || ingress.protocol === "grpcs";
  if (isGrpc && draining.countsGrpc !== true) return `the gauges of ${name} do not count gRPC requests`;
  const scheme = metrics.port === server.httpPort ? podScheme(ingress.protocol, server) : "http";
  return { metrics, draining, scheme };
}

async function inFlight(
  context: RolloutContext,
  settings: AppliedSettings,
  observed: SlotObservation,
): Promise<InFlight> {
  const evidence = evidenceOf(settings);
  if (typeof evidence === "string") return { kind: "unknown", why: evidence };
  // A pod that never ran has no request; one that is about to end may have some.
  const pods = observed.pods.filter(({ phase }) => phase === "Running" || phase === "Unknown");
  return inFlightOf(await Promise.all(pods.map(({ name }) => readPod(context, name, evidence))));
}

async function readPod(
  { api, namespace, signal }: RolloutContext,
  pod: string,
  { metrics, draining, scheme }: Evidence,
): Promise<PodInFlight> {
  const path = podProxyPath({ namespace, pod, port: metrics.port, scheme }, metrics.path);
  try {
    const answer = await api.request({
      method: "GET",
      path,
      headers: { accept: "text/plain" },
      signal,
      timeoutMs: readMs,
      maxBytes: largestPodAnswer,
    });
    // A line that is cut off would be another number.
    if (answer.truncated === true) return { pod, why: `${metrics.path} answers with more than can be read` };
    if (answer.status !== 200) return { pod, why: `${metrics.path} answers HTTP ${answer.status}` };
    const sums = draining.gauges.map((gauge) => [gauge, gaugeSum(answer.body, gauge)] as const);
    const missing = sums.find(([, sum]) => sum === undefined);
    if (missing !== undefined) return { pod, why: `${metrics.path} has no gauge ${missing[0]}` };
    const sum = sums.reduce((all, [, value]) => all + (value ?? 0), 0);
    return { pod, requests: Math.max(0, sum - (draining.baseline ?? 0)) };
  } catch (error) {
    if (isInterrupted(error)) throw error;
    return { pod, why: messageOf(error) };
  }
}
