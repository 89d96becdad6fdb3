import type { GateVerdict } from "../core/calls.ts";

/** One pod of the new release. */
export interface PodSeen {
  /** Its uid. */
  readonly id: string;
  readonly name: string;
  /** A ready endpoint that is not about to end. */
  readonly ready: boolean;
  /** How often its containers were started again. */
  readonly restarts: number;
  /** How a container ended the last time, for example `OOMKilled, exit code 137`. */
  readonly lastEnd: string | undefined;
}

export interface PodsSeen {
  /** Replicas that there should be. */
  readonly desired: number;
  readonly pods: readonly PodSeen[];
}

/** Pods that were seen ready, by uid, and how often the containers of each had been started again by then. */
export type KnownPods = Readonly<Record<string, KnownPod>>;

export interface KnownPod {
  readonly name: string;
  readonly restarts: number;
}

/**
 * Whether pods that were ready have restarted or become unready since. One that ended is no reason: nodes are drained, and
 * autoscalers take pods away. While fewer are ready than are wanted, whether they only start or cannot be seen, `hold`: what is not there is not fine. Pure; what is known
 * grows with each look.
 */
export function judgePods(
  known: KnownPods,
  { desired, pods }: PodsSeen,
): GateVerdict & { readonly known: KnownPods } {
  const ready = pods.filter((pod) => pod.ready);
  const before = Object.entries(known);
  const present = new Set(pods.map(({ id }) => id));
  const since = ({ id, restarts }: PodSeen) => restarts - (known[id]?.restarts ?? restarts);
  const restarted = pods.filter((pod) => since(pod) > 0);
  const unready = pods.filter(({ id, ready: isReady }) => !isReady && known[id] !== undefined);
  const gone = before.filter(([id]) => !present.has(id)).map(([, { name }]) => name);
  const isShort = ready.length < Math.min(desired, before.length);
  const problems = [
    ...restarted.map((pod) => {
      const why = pod.lastEnd === undefined ? "" : ` (${pod.lastEnd})`;
      return `${pod.name} restarted ${times(since(pod))}${why}`;
    }),
    ...(isShort ? unready.map(({ name }) => `${name} is not ready any more`) : []),
  ];
  if (problems.length > 0) return { verdict: "fail", evidence: problems.join("; "), known };
  if (isShort && gone.length > 0) {
    const evidence = `${gone.join(", ")} ended, and no other pod is ready in its place yet`;
    return { verdict: "hold", evidence, known };
  }
  const kept = Object.fromEntries(before.filter(([id]) => present.has(id)));
  const seen = Object.fromEntries(
    ready.map(({ id, name, restarts }) => [id, known[id] ?? { name, restarts }]),
  );
  const nowKnown = { ...kept, ...seen };
  if (ready.length === 0 || ready.length < desired) {
    const evidence = `${ready.length} of ${desired} pods ready`;
    return { verdict: "hold", evidence, known: isShort ? known : nowKnown };
  }
  const replaced = gone.length === 0 ? "" : `; ${gone.join(", ")} ended and was replaced`;
  return {
    verdict: "pass",
    evidence: `${ready.length} of ${desired} pods ready, no restart${replaced}`,
    known: nowKnown,
  };
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
