/** What one pod says of requests in progress. */
export type PodInFlight =
  | { readonly pod: string; readonly requests: number }
  /** It could not be read; `why` is for people. */
  | { readonly pod: string; readonly why: string };

/** What all pods of a slot say together. */
export type InFlight =
  | { readonly kind: "known"; readonly requests: number; readonly pods: number }
  | { readonly kind: "unknown"; readonly why: string };

/** Adds up what the pods say: a pod that says nothing makes the sum unknown. Pure. */
export function inFlightOf(pods: readonly PodInFlight[]): InFlight {
  if (pods.length === 0) return { kind: "unknown", why: "no pod runs that could be asked" };
  const silent = pods.flatMap((pod) => ("why" in pod ? [`${pod.pod}: ${pod.why}`] : []));
  const [first, ...others] = silent;
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    return { kind: "unknown", why: `${first}${more}` };
  }
  const requests = pods.reduce((sum, pod) => sum + ("requests" in pod ? pod.requests : 0), 0);
  return { kind: "known", requests, pods: pods.length };
}

/** Two looks that far apart at least must show nothing: one could fall between two requests on one connection. */
const shortestGapMs = 1_000;

/** What is remembered between two looks: since when nothing is in flight. */
export interface DrainMemory {
  readonly idleSince: number | undefined;
}

export const nothingSeen: DrainMemory = { idleSince: undefined };

/**
 * Takes another look into account. Drained is a slot only when two looks in a row show nothing in flight, further apart than the
 * metrics are late. `undefined`: nothing shows whether it is. Pure.
 */
export function drainedAfter(
  memory: DrainMemory,
  seen: InFlight,
  times: { readonly startedAt: number; readonly endedAt: number; readonly lagMs: number },
): { readonly memory: DrainMemory; readonly drained: boolean | undefined } {
  if (seen.kind === "unknown") return { memory: nothingSeen, drained: undefined };
  if (seen.requests > 0) return { memory: nothingSeen, drained: false };
  const { idleSince } = memory;
  if (idleSince === undefined) return { memory: { idleSince: times.endedAt }, drained: false };
  return { memory, drained: times.startedAt - idleSince >= Math.max(shortestGapMs, times.lagMs) };
}

/** The line of evidence, for example `in-progress gauge of 2 pods: 0`. */
export function describeInFlight(seen: InFlight): string {
  if (seen.kind === "unknown") return `nothing shows requests in flight (${seen.why})`;
  return `in-progress gauge of ${seen.pods} ${seen.pods === 1 ? "pod" : "pods"}: ${seen.requests}`;
}
