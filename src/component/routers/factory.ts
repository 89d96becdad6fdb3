import { exitCodes, UserError } from "../../core/errors.ts";
import { type IngressSpec, type RouterName, routerNames } from "../../core/model.ts";
import { type ObjectKind, pulumiType } from "../../core/object-kind.ts";
import type { RoutingRight } from "../../core/permissions.ts";
import { contour } from "./contour.ts";
import { gatewayApi } from "./gateway-api.ts";
import { gatewayApiGrpc } from "./gateway-api-grpc.ts";
import { nginx } from "./nginx.ts";
import { plain } from "./plain.ts";
import type { Router, RouterCapabilities } from "./router.ts";
import { traefik } from "./traefik.ts";

const routers: Readonly<Record<RouterName, Router>> = {
  nginx,
  plain,
  traefik,
  "gateway-api": gatewayApi,
  "gateway-api-grpc": gatewayApiGrpc,
  contour,
};

/** What all routers together need of the kinds that they write, each kind once. */
export const allRights: readonly RoutingRight[] = [
  ...new Map(
    Object.values(routers)
      .flatMap(({ rights }) => rights)
      .map((one) => [pulumiType(one.kind), one]),
  ).values(),
];

/** Every kind that a router writes. */
export const routingKinds: readonly ObjectKind[] = allRights.map(({ kind }) => kind);

/** @throws UserError `router-unknown` */
export function routerNamed(name: RouterName): Router {
  const router = Object.hasOwn(routers, name) ? routers[name] : undefined;
  if (router !== undefined) return router;
  throw new UserError({
    code: "router-unknown",
    message: `There is no router "${String(name)}".`,
    hint: `The routers are: ${routerNames.join(", ")}.`,
    exitCode: exitCodes.usage,
  });
}

/**
 * Refuses a wish that a router cannot fulfil, when it is planned.
 * @throws UserError `capability-missing` naming the routers that can
 */
export function requireCapability(router: Router, capability: keyof RouterCapabilities, wish: string): void {
  if (router.capabilities[capability] === true) return;
  const able = routerNames.filter((name) => routers[name].capabilities[capability] === true);
  throw new UserError({
    code: "capability-missing",
    message: `The router "${router.name}" cannot do what ${wish} asks for (${capability}).`,
    hint:
      able.length === 0
        ? `None of the routers can (${routerNames.join(", ")}): leave ${wish} out.`
        : `Routers that can: ${able.join(", ")}. Or leave ${wish} out.`,
    exitCode: exitCodes.usage,
  });
}

/**
 * Refuses wishes for requests that the router cannot fulfil, when they are planned.
 * @throws UserError `capability-missing`
 */
export function requireRequestCapabilities(
  router: Router,
  ingress: Pick<IngressSpec, "timeout" | "maxBodySize" | "protocol">,
): void {
  if (ingress.timeout !== undefined) requireCapability(router, "timeout", "ingress.timeout");
  if (ingress.maxBodySize !== undefined) requireCapability(router, "bodySize", "ingress.maxBodySize");
  if ((ingress.protocol ?? "http") !== "http")
    requireCapability(router, "backendProtocol", "ingress.protocol");
}
