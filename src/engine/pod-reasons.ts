import type { EngineObject, Observed } from "./engine-events.ts";
import { notInTime } from "./provider-words.ts";

/** Why an object is not ready, each a line, or none where that cannot be told; and whether it failed by itself, as a Job may. */
export type LookAtObject = (
  about: EngineObject,
) => Promise<{ readonly lines: readonly string[]; readonly hasFailed: boolean } | undefined>;

/**
 * The same, where what was waited for in vain says why: in the words that all else uses for pods, instead of the provider's, which often
 * has none.
 */
export async function withPodReasons(observed: Observed, look: LookAtObject): Promise<Observed> {
  const waited = new Set(observed.diagnostics.flatMap(({ unready, urn }) => (unready === true ? [urn] : [])));
  const told = new Map(
    await Promise.all(
      observed.failed
        .filter(({ urn }) => waited.has(urn))
        .map(async (one) => [one.urn, await look(one).catch(() => undefined)] as const),
    ),
  );
  return {
    ...observed,
    diagnostics: observed.diagnostics.map((one) => {
      const why = one.unready === true && one.urn !== undefined ? told.get(one.urn) : undefined;
      const [first, ...others] = why?.lines ?? [];
      if (first === undefined) return one;
      const headline = `${why?.hasFailed === true ? "it failed" : notInTime}: ${first}`;
      return { ...one, message: [headline, ...others.map((line) => `  ${line}`)].join("\n") };
    }),
  };
}
