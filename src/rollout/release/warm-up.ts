import { UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { ModelServer } from "../../core/model.ts";
import { podProxyPath, podScheme } from "../../core/pod-address.ts";
import { isWarm } from "../../core/rollout/warmth.ts";
import { largestPodAnswer } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import type { SlotObservation } from "../observe/observation.ts";
import type { RolloutRecord } from "../record/record.ts";

/** Whether replicas can be sent a request before clients send theirs. */
export function isWarmable({ http }: Pick<ModelServer, "http">): boolean {
  return http !== false;
}

/** What it means where they cannot. */
export const nothingToSend =
  "nothing is sent to the replicas before clients do, since the model server has no HTTP: its health service must say SERVING only once it is warm";

/** Sends real requests to every ready pod of a slot, through the API server, until its latency has stabilised. */
export async function warmUp(
  context: RolloutContext,
  record: RolloutRecord,
  slot: SlotObservation,
): Promise<void> {
  const request = context.config.rollout.warmUp;
  const id = `warm-up-${slot.slot}`;
  if (request === undefined) {
    if (!isWarmable(record.settings.server)) {
      const title = `Warm up ${slot.slot}`;
      context.events({ type: "step", id, title, state: "skipped", detail: nothingToSend });
    }
    return;
  }
  const pods = slot.endpoints.ready.map(({ pod }) => pod).filter((pod) => pod !== undefined);
  await step(
    context.events,
    { id, title: `Warm up ${slot.slot}: every pod, until its latency is steady` },
    async (progress) => {
      const until = context.clock.now() + request.deadlineMs;
      const results = await Promise.all(pods.map((pod) => warmPod(context, record, pod, until)));
      progress({ progress: { done: results.length, total: pods.length, unit: "pods" } });
      return results;
    },
    (results) =>
      results
        .map(({ pod, first, last, requests, steady }) => {
          const change = `${Math.round(first)} to ${Math.round(last)} ms`;
          return `${pod}: ${change} in ${requests} requests${steady ? "" : ", not steady at the deadline"}`;
        })
        .join("; "),
  );
}

interface Warmed {
  readonly pod: string;
  /** Latency of the first and the last answer, milliseconds. */
  readonly first: number;
  readonly last: number;
  readonly requests: number;
  readonly steady: boolean;
}

async function warmPod(
  context: RolloutContext,
  record: RolloutRecord,
  pod: string,
  until: number,
): Promise<Warmed> {
  const { api, namespace, clock, signal, config } = context;
  const request = config.rollout.warmUp;
  if (request === undefined) throw new Error("Nothing is sent without a request.");
  const { server, ingress } = record.settings;
  const scheme = podScheme(ingress.protocol, server);
  const latencies: number[] = [];
  while (!isWarm(latencies) && clock.now() < until && latencies.length < request.maximumRequests) {
    if (signal.aborted) await clock.sleep(0, signal);
    const startedAt = clock.now();
    const timeoutMs = Math.max(1_000, until - startedAt);
    const sent = api.request({
      method: request.method,
      path: podProxyPath({ namespace, pod, port: server.httpPort, scheme }, request.path),
      ...(request.body === undefined ? {} : { body: request.body }),
      signal,
      timeoutMs,
      maxBytes: largestPodAnswer,
    });
    const answer = await sent.catch((error: unknown) => {
      // That no answer came in time is the pod's doing, not the API server's.
      if (signal.aborted || clock.now() - startedAt < timeoutMs) throw error;
      throw new UserError({
        code: "warm-up-failed",
        message: `The pod ${pod} has not answered the warm-up request ${request.method} ${request.path} within ${Math.round(timeoutMs / 1000)} s.`,
        hint: "Give it more time (rollout.warmUp.deadline), or correct the release; traffic was not touched.",
        details: { pod },
      });
    });
    if (answer.status < 200 || answer.status > 299) {
      throw new UserError({
        code: "warm-up-failed",
        message: `The pod ${pod} answers the warm-up request ${request.method} ${request.path} with HTTP ${answer.status}: ${answer.body.trim().slice(0, 300)}`,
        hint: "Correct the request (rollout.warmUp in the config file), or the release; traffic was not touched.",
        details: { pod, status: answer.status },
      });
    }
    latencies.push(clock.now() - startedAt);
  }
  return {
    pod,
    first: latencies[0] ?? 0,
    last: latencies.at(-1) ?? 0,
    requests: latencies.length,
    steady: isWarm(latencies),
  };
}
