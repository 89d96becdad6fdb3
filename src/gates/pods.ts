import { z } from "zod";
import type { GateVerdict } from "../core/calls.ts";
import { messageOf } from "../core/errors.ts";
import type { KnownPods, PodSeen, PodsSeen } from "./io.ts";
import { type GateKind, lookBy } from "./kind.ts";

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

/** What was seen of the pods, or why nothing was. */
type PodsSample =
  | { readonly kind: "seen"; readonly seen: PodsSeen }
  | { readonly kind: "unreadable"; readonly why: string };

/** Pods that are known from one command to the next: more would fill the record. */
const keptPods = 500;

/** Watches the pods of every release, unless that is switched off; no configuration chooses it. */
export const podsGate: GateKind<{ readonly kind: "pods" }> = {
  look: lookBy<{ readonly kind: "pods" }, PodsSample, KnownPods>({
    remembers: {
      nothing: {},
      schema: z.record(z.string(), z.object({ name: z.string(), restarts: z.number() })),
    },
    ask: async ({ io }, _gate, _subject, signal) => {
      try {
        return { kind: "seen", seen: await io.pods(signal) };
      } catch (error) {
        if (signal.aborted) throw error;
        return { kind: "unreadable", why: messageOf(error) };
      }
    },
    judge: (memory, sample) => {
      if (sample.kind === "unreadable") {
        // That the API server is away for a moment is no reason to bother a person.
        const evidence = `the pods cannot be read: ${sample.why}`;
        return { verdict: { verdict: "hold", evidence }, memory };
      }
      const { known, ...verdict } = judgePods(memory, sample.seen);
      return { verdict, memory: Object.fromEntries(Object.entries(known).slice(0, keptPods)) };
    },
  }),
};
