import type { GateVerdict } from "../core/calls.ts";
import { messageOf } from "../core/errors.ts";
import type { KnownPods, PodSeen, PodsSeen } from "./io.ts";
import type { GateKind } from "./kind.ts";

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

/** Watches the pods of every release, unless that is switched off; no configuration chooses it. */
export const podsGate: GateKind<{ readonly kind: "pods" }> = {
  look: async ({ io, pods }, _gate, _subject, signal) => {
    let seen: PodsSeen;
    try {
      seen = await io.pods(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // That the API server is away for a moment is no reason to bother a person.
      return { verdict: "hold", evidence: `the pods cannot be read: ${messageOf(error)}` };
    }
    const { known, ...said } = judgePods(pods.known, seen);
    pods.know(known);
    return said;
  },
};
