import type { ControllerName } from "../../core/controllers.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { IngressSpec } from "../../core/model.ts";
import { type ObjectKind, pulumiType } from "../../core/object-kind.ts";
import type { RoutingRight } from "../../core/permissions.ts";
import {
  type BuiltInRouterName,
  isOwnRouter,
  ownRouterPrefix,
  type RouterName,
  routerNames,
} from "../../core/router-names.ts";
import { alb } from "./alb.ts";
import { contour } from "./contour.ts";
import { gatewayApi } from "./gateway-api.ts";
import { gatewayApiGrpc } from "./gateway-api-grpc.ts";
import { haproxy } from "./haproxy.ts";
import { haproxyTech } from "./haproxy-tech.ts";
import { istio } from "./istio.ts";
import { nginx } from "./nginx.ts";
import { nginxInc } from "./nginx-inc.ts";
import { plain } from "./plain.ts";
import type { Router, RouterCapabilities } from "./router.ts";
import { traefik } from "./traefik.ts";

const routers: Readonly<Record<BuiltInRouterName, Router>> = {
  nginx,
  plain,
  traefik,
  "gateway-api": gatewayApi,
  "gateway-api-grpc": gatewayApiGrpc,
  contour,
  haproxy,
  "haproxy-tech": haproxyTech,
  alb,
  istio,
  "nginx-inc": nginxInc,
};

/** Those that the configuration or the Pulumi program of this process has brought along. */
const own = new Map<string, Router>();

/** Makes a user's own router known to this process. One of the same name is replaced: configurations are read more than once. */
export function registerRouter(router: Router): void {
  own.set(router.name, router);
}

export function isKnownRouter(name: RouterName): boolean {
  return isOwnRouter(name) ? own.has(name) : Object.hasOwn(routers, name);
}

/** What all routers together need of the kinds that they write, each kind once. */
export function allRights(): readonly RoutingRight[] {
  const all = [...Object.values(routers), ...own.values()].flatMap(({ rights }) => rights);
  return [...new Map(all.map((one) => [pulumiType(one.kind), one])).values()];
}

/** Every kind that a router writes. */
export function routingKinds(): readonly ObjectKind[] {
  return allRights().map(({ kind }) => kind);
}

/** @throws UserError `router-unknown`, `router-not-loaded` */
export function routerNamed(name: RouterName): Router {
  const router = isOwnRouter(name) ? own.get(name) : Object.hasOwn(routers, name) ? routers[name] : undefined;
  if (router !== undefined) return router;
  if (isOwnRouter(name)) {
    throw new UserError({
      code: "router-not-loaded",
      message: `The model's router "${name.slice(ownRouterPrefix.length)}" is not one of modelswitch's: it is in the model's configuration file, which was not read.`,
      hint: "Run the command where that file is, or name it with --config.",
      exitCode: exitCodes.usage,
    });
  }
  throw new UserError({
    code: "router-unknown",
    message: `There is no router "${String(name)}".`,
    hint: `The routers are: ${routerNames.join(", ")}, and those that a configuration defines with defineRouter().`,
    exitCode: exitCodes.usage,
  });
}

/** The routers whose objects a controller reads as they are meant, those that can do more first. */
export function routersFor(controller: ControllerName): readonly BuiltInRouterName[] {
  const reads = (name: BuiltInRouterName) => routers[name].readBy?.includes(controller) === true;
  return [...routerNames.filter(reads), "plain"];
}

function can({ capabilities }: Router, capability: keyof RouterCapabilities): boolean {
  const value = capabilities[capability];
  return value !== undefined && value !== false;
}

/**
 * Refuses a wish that a router cannot fulfil, when it is planned.
 * @throws UserError `capability-missing` naming the routers that can
 */
export function requireCapability(router: Router, capability: keyof RouterCapabilities, wish: string): void {
  if (can(router, capability)) return;
  refuse(router, capability, wish, (one) => can(one, capability));
}

/** @throws UserError `capability-missing` */
function refuse(
  router: Router,
  capability: keyof RouterCapabilities,
  wish: string,
  isAble: (router: Router) => boolean,
): never {
  const able = routerNames.filter((name) => isAble(routers[name]));
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
  const { protocol = "http" } = ingress;
  if (protocol === "http") return;
  requireCapability(router, "backendProtocol", "ingress.protocol");
  const speaks = ({ capabilities: { backendProtocol } }: Router) =>
    backendProtocol === true || backendProtocol === protocol;
  if (!speaks(router)) refuse(router, "backendProtocol", `ingress.protocol: "${protocol}"`, speaks);
}
