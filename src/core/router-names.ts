/** Names of the built-in routers. */
export const routerNames = [
  "nginx",
  "plain",
  "traefik",
  "gateway-api",
  "gateway-api-grpc",
  "contour",
  "haproxy",
  "haproxy-tech",
  "alb",
  "istio",
  "nginx-inc",
] as const;
export type BuiltInRouterName = (typeof routerNames)[number];

/** What the names of users' own routers begin with, in configurations and records. */
export const ownRouterPrefix = "own:";
/** The name of a router that a configuration brings along; `defineRouter` gives it. */
export type OwnRouterName = `${typeof ownRouterPrefix}${string}`;

/** How traffic is moved: the dialect of one ingress controller, plain Ingresses, or what a user's own router says. */
export type RouterName = BuiltInRouterName | OwnRouterName;

export function isOwnRouter(name: unknown): name is OwnRouterName {
  return typeof name === "string" && name.startsWith(ownRouterPrefix);
}
