import { routerNamed } from "../../component/routers/factory.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { Routing } from "../../core/routing.ts";
import type { RoutingOptions } from "../../core/testers.ts";
import { routerInput } from "../program/router-input.ts";

/**
 * Refuses beforehand what a rollout would write and the router cannot say beside what the model has: in the middle of a release it would be too
 * late. Pure.
 * @throws UserError `annotation-owned`, `routing-unsupported`
 */
export function requireSayable(spec: ModelSpec, { testers, sticky = false }: RoutingOptions): void {
  const armed: Routing = { main: "blue", candidate: "green", weight: 0 };
  const routings: readonly Routing[] = [
    ...(testers === undefined ? [] : [{ ...armed, testers: "green" } as const]),
    ...(sticky === false ? [] : [{ ...armed, weight: 50, pinned: 1 }]),
  ];
  for (const routing of routings) routerNamed(spec.router).objects({ ...routerInput(spec), routing });
}
