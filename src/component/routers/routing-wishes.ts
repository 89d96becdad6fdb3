import { exitCodes, UserError } from "../../core/errors.ts";
import type { Routing } from "../../core/routing.ts";
import {
  previewHeaderTaken,
  type RoutingOptions,
  type Testers,
  wrongTesterText,
} from "../../core/testers.ts";
import { requireCapability } from "./factory.ts";
import type { Router, RouterCapabilities } from "./router.ts";

/** A wish for what some clients get otherwise than others, with the place in the configuration that asks for it. */
export interface RoutingWish {
  readonly capability: keyof RouterCapabilities;
  readonly place: string;
}

/** What a configuration asks of its router beside moving traffic. Pure. */
export function routingWishes(
  { testers, sticky = false }: RoutingOptions,
  shadow: { readonly percent: number } | undefined,
  /** Shares, per cent. */
  steps: readonly number[],
): readonly RoutingWish[] {
  return [
    ...(testers === undefined ? [] : testerWishes(testers, "routing.testers")),
    ...(sticky === false ? [] : [{ capability: "sticky", place: "routing.sticky" } as const]),
    ...(shadow === undefined ? [] : [{ capability: "mirror", place: "rollout.shadow" } as const]),
    ...(shadow === undefined || shadow.percent === 100
      ? []
      : [{ capability: "mirrorPercent", place: "rollout.shadow.percent" } as const]),
    ...stepWishes(steps, "rollout.steps"),
  ];
}

/**
 * Refuses shares that a router cannot say. `place`: where they are asked for.
 * @throws UserError `capability-missing`
 */
export function requireSteps(router: Router, shares: readonly number[], place: string): void {
  for (const { capability } of stepWishes(shares, place)) requireCapability(router, capability, place);
}

/** What shares ask of a router. Pure. */
function stepWishes(shares: readonly number[], place: string): readonly RoutingWish[] {
  return [
    ...(shares.length === 0 ? [] : [{ capability: "weights", place } as const]),
    ...(shares.every(Number.isInteger) ? [] : [{ capability: "fineShares", place } as const]),
  ];
}

function testerWishes({ header, cookie }: Testers, place: string): readonly RoutingWish[] {
  return [
    ...(header === undefined ? [] : [{ capability: "testers", place: `${place}.header` } as const]),
    ...(cookie === undefined ? [] : [{ capability: "cookie", place: `${place}.cookie` } as const]),
  ];
}

/**
 * What is wrong with testers whatever the router, and with what it can tell them by. Pure.
 */
export function testersProblem(router: Router, testers: Testers, previewHeader: string): string | undefined {
  const own = router.testersProblem?.(testers, previewHeader);
  if (own !== undefined || router.testersProblem !== undefined) return own;
  return previewHeaderTaken(testers, previewHeader);
}

/**
 * Refuses what a component asks of its router and the router cannot do.
 * @throws UserError `capability-missing`, `testers-invalid`
 */
export function requireRoutingCapabilities(
  router: Router,
  { testers, routing }: { readonly testers: Testers | undefined; readonly routing: Routing },
  previewHeader: string,
): void {
  const wishes: readonly RoutingWish[] = [
    ...(testers === undefined ? [] : testerWishes(testers, "testers")),
    ...(routing.testers === undefined ? [] : [{ capability: "testers", place: "routing.testers" } as const]),
    ...(routing.mirror === undefined ? [] : [{ capability: "mirror", place: "routing.mirror" } as const]),
    ...(Number.isInteger(routing.weight)
      ? []
      : [{ capability: "fineShares", place: "routing.weight" } as const]),
    ...(routing.pinned === undefined ? [] : [{ capability: "sticky", place: "routing.pinned" } as const]),
  ];
  for (const { capability, place } of wishes) requireCapability(router, capability, place);
  const wrong = testers === undefined ? undefined : wrongTesterText(testers);
  const problem =
    wrong !== undefined
      ? `${JSON.stringify(wrong)} has other characters than letters, digits and - . _ ~ / : @ = +`
      : testers && testersProblem(router, testers, previewHeader);
  if (problem === undefined) return;
  throw new UserError({
    code: "testers-invalid",
    message: `The router "${router.name}" cannot tell these testers: ${problem}.`,
    exitCode: exitCodes.usage,
  });
}
