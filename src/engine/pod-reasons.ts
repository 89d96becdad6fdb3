import type { EngineObject, Observed } from "./engine-events.ts";
import { notInTime } from "./provider-words.ts";

/** Why a Deployment's pods are not ready, each a line; none where that cannot be told. */
export type LookAtPods = (deployment: EngineObject) => Promise<readonly string[]>;

/**
 * The same, where Deployments that were waited for in vain say why: in the words that all else uses for pods, instead of the
 * provider's, which often has none.
 */
export async function withPodReasons(observed: Observed, look: LookAtPods): Promise<Observed> {
  const waited = new Set(observed.diagnostics.flatMap(({ unready, urn }) => (unready === true ? [urn] : [])));
  const deployments = observed.failed.filter(({ kind, urn }) => kind === "Deployment" && waited.has(urn));
  const told = new Map(
    await Promise.all(deployments.map(async (one) => [one.urn, await look(one).catch(() => [])] as const)),
  );
  return {
    ...observed,
    diagnostics: observed.diagnostics.map((one) => {
      const lines = one.unready === true && one.urn !== undefined ? (told.get(one.urn) ?? []) : [];
      if (lines.length === 0) return one;
      const [first = "", ...others] = lines;
      return { ...one, message: [`${notInTime}: ${first}`, ...others.map((line) => `  ${line}`)].join("\n") };
    }),
  };
}
