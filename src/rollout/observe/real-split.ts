import type { Router } from "../../component/routers/router.ts";
import { type Routing, splitOf, type TrafficSplit } from "../../core/routing.ts";
import type { Observation } from "./observation.ts";

/** How the ingress is to share requests by this routing, with the endpoints that each slot has. Per cent. Pure. */
export function realSplitOf(
  router: Pick<Router, "realSplit">,
  routing: Routing,
  { slots }: Pick<Observation, "slots">,
): TrafficSplit {
  const split = splitOf(routing);
  const ready = { blue: slots.blue.endpoints.ready.length, green: slots.green.endpoints.ready.length };
  return router.realSplit?.(split, ready) ?? split;
}
