import type { RolloutContext } from "./context.ts";
import { configuredNames } from "./names.ts";
import type { ProofVerdict } from "./proof.ts";
import type { AppliedSettings } from "./record.ts";
import { strangersAre } from "./shared-hosts.ts";

/** What a proof met of answers that neither slot gives, with the other Ingresses that may have given them. */
export async function namingStrangers(
  context: RolloutContext,
  { ingress }: Pick<AppliedSettings, "ingress">,
  verdict: ProofVerdict,
): Promise<ProofVerdict> {
  if (verdict.state === "proved") return verdict;
  if (verdict.evidence.lanes.every(({ strangers }) => strangers.length === 0)) return verdict;
  const { api, namespace, config, signal } = context;
  const names = {
    ...configuredNames(config),
    ...(ingress.name === undefined ? {} : { ingress: ingress.name }),
  };
  const others = await strangersAre(api, namespace, ingress, names, signal);
  return { ...verdict, missing: [...verdict.missing, ...others] };
}
