import { UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { ModelServer } from "../../core/model.ts";
import { podProxyPath, podScheme } from "../../core/pod-address.ts";
import { isSlowBeside, isWarm } from "../../core/rollout/warmth.ts";
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

/**
 * Sends real requests to every ready pod of a slot, through the API server, until its latency has stabilised. `live`: the slot that clients use, which a
 * replica is compared with; without it, as on a way back, what is steady is warm.
 */
export async function warmUp(
  context: RolloutContext,
  record: RolloutRecord,
  slot: SlotObservation,
  live?: SlotObservation,
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
      let usual: Promise<readonly number[]> | undefined;
      // Asked once one of the replicas is steady: before that nobody wants to know.
      const liveLatencies = async () => {
        usual ??= latenciesOf(context, record, live);
        return await usual;
      };
      const results = await Promise.all(
        pods.map((pod) => warmPod(context, record, { pod, until, liveLatencies })),
      );
      progress({ progress: { done: results.length, total: pods.length, unit: "pods" } });
      return results;
    },
    (results) =>
      results
        .map(({ pod, first, last, requests, end }) => {
          const change = `${Math.round(first)} to ${Math.round(last)} ms`;
          return `${pod}: ${change} in ${requests} requests${endInWords[end]}`;
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
  readonly end: "warm" | "slow" | "unsteady";
}

const endInWords = {
  warm: "",
  slow: ", steady but more than twice as slow as the live slot at the deadline",
  unsteady: ", not steady at the deadline",
} as const;

/** Between requests to a replica that is as slow as before: it is waited for, not hurried. */
const patienceMs = 500;
/** What is asked of live is few, and not waited for. */
const liveRequests = 5;
const liveTimeoutMs = 2_000;

interface Warming {
  readonly pod: string;
  readonly until: number;
  readonly liveLatencies: () => Promise<readonly number[]>;
}

async function warmPod(
  context: RolloutContext,
  record: RolloutRecord,
  { pod, until, liveLatencies }: Warming,
): Promise<Warmed> {
  const { clock, signal } = context;
  const request = requestOf(context);
  const latencies: number[] = [];
  let end: Warmed["end"] = "unsteady";
  while (end !== "warm" && clock.now() < until && latencies.length < request.maximumRequests) {
    if (signal.aborted) await clock.sleep(0, signal);
    if (end === "slow") await clock.sleep(patienceMs, signal);
    const startedAt = clock.now();
    const timeoutMs = Math.max(1_000, until - startedAt);
    const answer = await sendTo(context, record, pod, timeoutMs).catch((error: unknown) => {
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
    const isSlow = isWarm(latencies) && isSlowBeside(latencies, await liveLatencies());
    end = isSlow ? "slow" : isWarm(latencies) ? "warm" : "unsteady";
  }
  return {
    pod,
    first: latencies[0] ?? 0,
    last: latencies.at(-1) ?? 0,
    requests: latencies.length,
    end,
  };
}

/** How fast live answers the same request on the same way; one that gives no answer in time says nothing. */
async function latenciesOf(
  context: RolloutContext,
  record: RolloutRecord,
  live: SlotObservation | undefined,
): Promise<readonly number[]> {
  const { clock, signal } = context;
  const pod = live?.endpoints.ready.map((one) => one.pod).find((one) => one !== undefined);
  const latencies: number[] = [];
  if (pod === undefined) return latencies;
  while (latencies.length < liveRequests) {
    const startedAt = clock.now();
    const isAnswer = await sendTo(context, record, pod, liveTimeoutMs).then(
      ({ status }) => status >= 200 && status <= 299,
      () => false,
    );
    if (signal.aborted) await clock.sleep(0, signal);
    if (!isAnswer) return [];
    latencies.push(clock.now() - startedAt);
  }
  return latencies;
}

function requestOf({ config }: RolloutContext): NonNullable<RolloutContext["config"]["rollout"]["warmUp"]> {
  const request = config.rollout.warmUp;
  if (request === undefined) throw new Error("Nothing is sent without a request.");
  return request;
}

async function sendTo(context: RolloutContext, record: RolloutRecord, pod: string, timeoutMs: number) {
  const { api, namespace, signal } = context;
  const request = requestOf(context);
  const { server, ingress } = record.settings;
  const scheme = podScheme(ingress.protocol, server);
  return await api.request({
    method: request.method,
    path: podProxyPath({ namespace, pod, port: server.httpPort, scheme }, request.path),
    ...(request.body === undefined ? {} : { body: request.body }),
    signal,
    timeoutMs,
    maxBytes: largestPodAnswer,
  });
}
