import type { ReleaseTemplate } from "../../config/model/types.ts";
import { ownLabels } from "../../core/names.ts";
import type { DisruptionBudget } from "../../core/release-contents.ts";
import type { Discovered } from "./discovered.ts";
import type { FoundBudget, Inventory } from "./inventory.ts";
import { selects } from "./labels.ts";

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly unknown[];
}

/** Expressions are not evaluated: what uses them may select the pods. */
function maySelect({ matchLabels = {} }: Selector, labels: Labels): boolean {
  return selects(matchLabels, labels);
}

/** The PodDisruptionBudget of pods with these labels, if somebody made one. Pure. */
export function budgetFor({ budgets = [] }: Inventory, podLabels: Labels): FoundBudget | undefined {
  return budgets.find(({ spec }) => spec?.selector !== undefined && maySelect(spec.selector, podLabels));
}

/** How many pods of later releases may be missing; `undefined`: nobody said it. Pure. */
export function budgetOf(
  { budget, otherSelector }: Pick<Discovered, "budget" | "otherSelector">,
  { pod }: ReleaseTemplate,
  model: string,
): DisruptionBudget | undefined {
  const { selector, minAvailable, maxUnavailable } = budget?.spec ?? {};
  if (selector === undefined) return undefined;
  // With a second one beside it no pod could be evicted.
  if (maySelect(selector, { ...pod?.labels, ...ownLabels(model), ...otherSelector })) return false;
  if (minAvailable !== undefined) return { minAvailable };
  return maxUnavailable === undefined ? undefined : { maxUnavailable };
}

/** NetworkPolicies that hold for the pods that were found and not for green's, which have other labels. Pure. */
export function policiesOfBlueAlone(
  { networkPolicies = [] }: Inventory,
  blue: Labels,
  green: Labels,
): string[] {
  return networkPolicies.flatMap(({ metadata, spec }) => {
    const selector = spec?.podSelector ?? {};
    const isOfAll = Object.keys(selector.matchLabels ?? {}).length === 0;
    if (isOfAll || !maySelect(selector, blue) || maySelect(selector, green)) return [];
    const wanted = Object.keys(selector.matchLabels ?? {})
      .map((key) => `${key}=${green[key] ?? "(none)"}`)
      .join(",");
    return [
      `the NetworkPolicy ${metadata?.name} holds for the pods that run and not for green's, which have ${wanted}; give green's pods one of their own before the next release`,
    ];
  });
}
