import { exitCodes, UserError } from "../../core/errors.ts";
import { type LabelExpression, meetsLabels } from "../../core/label-expression.ts";
import { type GatewayRef, type IngressSpec, placesOf } from "../../core/model.ts";
import type { ObjectNames } from "../../core/names.ts";
import type { ObjectKind } from "../../core/object-kind.ts";
import type { RouterName } from "../../core/router-names.ts";
import { backendTlsGround } from "./gateway-backend-tls.ts";
import { unseenWishes, wishesGround } from "./gateway-wishes.ts";
import type { Front, Groundless, Look, ObservedObject, Wishes } from "./router.ts";

/** What is read of a Gateway and its class, which are somebody else's. */

export const group = { group: "gateway.networking.k8s.io", version: "v1" } as const;
export const gatewayKind: ObjectKind = { ...group, kind: "Gateway", plural: "gateways" };
export const gatewayClassKind: ObjectKind = { ...group, kind: "GatewayClass", plural: "gatewayclasses" };
const namespaceKind: ObjectKind = { group: "", version: "v1", kind: "Namespace", plural: "namespaces" };

/** @throws UserError `gateway-missing` */
export function gatewayOf(router: RouterName, { gateway }: Pick<IngressSpec, "gateway">): GatewayRef {
  if (gateway !== undefined) return gateway;
  throw new UserError({
    code: "gateway-missing",
    message: `The router "${router}" needs the Gateway that takes the requests, and ingress.gateway names none.`,
    hint: 'For example ingress: { gateway: { name: "edge", namespace: "gateways" } }.',
    exitCode: exitCodes.usage,
  });
}

/** How a route names it. */
export function parentOf({ name, namespace, sectionName }: GatewayRef): GatewayRef {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(sectionName === undefined ? {} : { sectionName }),
  };
}

interface Listener {
  readonly name?: string;
  readonly protocol?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly allowedRoutes?: {
    readonly kinds?: readonly { readonly kind?: string }[];
    readonly namespaces?: {
      readonly from?: string;
      readonly selector?: LabelSelector;
    };
  };
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelExpression[];
}

interface GatewaySpec {
  readonly gatewayClassName?: string;
  readonly listeners?: readonly Listener[];
}

interface Conditions {
  readonly conditions?: readonly {
    readonly type?: string;
    readonly status?: string;
    readonly message?: string;
  }[];
}

/** What of a route decides which listeners take it. */
interface AttachedRoute {
  readonly sectionName?: string | undefined;
  readonly hostnames?: readonly string[] | undefined;
}

/**
 * Addresses as the controller has published them, and the port of the listener that takes the route; where there are several, one without TLS.
 */
export function gatewayFront(
  gateway: ObservedObject | undefined,
  { sectionName, hostnames = [] }: AttachedRoute,
): Omit<Front, "name"> {
  const spec = gateway?.spec as GatewaySpec | undefined;
  const status = gateway?.status as
    | { readonly addresses?: readonly { readonly value?: string }[] }
    | undefined;
  const isForRoute = ({ hostname = "" }: Listener) =>
    hostname === "" || hostnames.length === 0 || hostnames.some((host) => covers(hostname, host));
  const all = listenersOf(spec, sectionName).filter(({ protocol }) => speaksHttp(protocol));
  // One that is for other hosts answers requests for this one with 404, whatever the route says.
  const fit = all.filter(isForRoute);
  const listeners = fit.length > 0 ? fit : all;
  const listener = listeners.find(({ protocol = "HTTP" }) => protocol === "HTTP") ?? listeners[0];
  return {
    className: undefined,
    tlsHosts: listener !== undefined && (listener.protocol ?? "HTTP") !== "HTTP" ? ["*"] : [],
    addresses: (status?.addresses ?? []).flatMap(({ value }) => value ?? []),
    ...(listener?.port === undefined ? {} : { port: listener.port }),
  };
}

function speaksHttp(protocol = "HTTP"): boolean {
  return protocol === "HTTP" || protocol === "HTTPS";
}

function listenersOf(spec: GatewaySpec | undefined, sectionName: string | undefined): readonly Listener[] {
  return (spec?.listeners ?? []).filter(({ name }) => sectionName === undefined || name === sectionName);
}

/** The route that the Gateway is to take. */
interface RouteAbout {
  readonly ingress: IngressSpec;
  readonly namespace: string;
  readonly names: ObjectNames;
  /** Of its kinds. */
  readonly routeKind: "HTTPRoute" | "GRPCRoute";
  readonly wishes: Wishes;
}

/** Whether the Gateway is there, served, and takes the route. What may not be looked at is taken to be right. */
export async function gatewayGround(
  gateway: GatewayRef,
  about: RouteAbout,
  look: Look,
): Promise<Groundless | undefined> {
  const namespace = gateway.namespace ?? about.namespace;
  const where = `${namespace}/${gateway.name}`;
  const found = await look(gatewayKind, gateway.name, namespace);
  if (found === "unseen") return unseenWishes(where, about.wishes);
  if (found === undefined) {
    return {
      code: "gateway-missing",
      message: `There is no Gateway ${where}, which ingress.gateway names.`,
      hint: "Correct ingress.gateway, or have the Gateway made.",
    };
  }
  const spec = found.spec as GatewaySpec | undefined;
  return (
    (await classGround(where, spec?.gatewayClassName ?? "", about.wishes, look)) ??
    (await listenerGround(where, namespace, listenersOf(spec, gateway.sectionName), gateway, about, look)) ??
    (about.wishes.https === true ? await backendTlsGround(about, look) : undefined)
  );
}

async function classGround(
  where: string,
  name: string,
  wishes: Wishes,
  look: Look,
): Promise<Groundless | undefined> {
  const found = await look(gatewayClassKind, name, undefined);
  if (found === "unseen") return unseenWishes(where, wishes);
  const accepted = (found?.status as Conditions | undefined)?.conditions?.find(
    ({ type }) => type === "Accepted",
  );
  if (found !== undefined && accepted?.status === "True") return wishesGround(name, found, wishes);
  const why =
    found === undefined
      ? "is not there"
      : `no controller has accepted${accepted?.message === undefined ? "" : ` (${accepted.message})`}`;
  return {
    code: "gateway-class-unaccepted",
    message: `The Gateway ${where} is of the GatewayClass ${name}, which ${why}: nobody would serve the route.`,
    hint: "Start the controller of that class, or choose a Gateway of another one.",
  };
}

async function listenerGround(
  where: string,
  gatewayNamespace: string,
  listeners: readonly Listener[],
  { sectionName }: GatewayRef,
  { ingress, namespace, routeKind }: RouteAbout,
  look: Look,
): Promise<Groundless | undefined> {
  const hosts = [...new Set(placesOf(ingress).map(({ host }) => host))];
  const what = sectionName === undefined ? "no listener" : `no listener ${sectionName}`;
  // A host that no listener has is left out of the route without a word.
  for (const host of hosts) {
    const reasons: string[] = [];
    let isTaken = false;
    for (const listener of listeners) {
      const why = refusalOf(listener, { host, gatewayNamespace, namespace, routeKind });
      const isSelected = why === undefined ? await selects(listener, namespace, look) : true;
      if (why === undefined && isSelected) isTaken = true;
      else reasons.push(`${listener.name ?? ""} ${why ?? `does not select the namespace ${namespace}`}`);
    }
    if (isTaken) continue;
    const route = hosts.length === 1 ? "the route" : `the route's host ${host}`;
    return {
      code: "gateway-listener-refuses",
      message:
        reasons.length === 0
          ? `The Gateway ${where} has ${what}.`
          : `No listener of the Gateway ${where} takes ${route}: ${reasons.join("; ")}.`,
      hint: "Change the listener's allowedRoutes or hostname, or name another one in ingress.gateway.sectionName.",
    };
  }
  return undefined;
}

/** Why a listener would not take a route; `undefined`: nothing that it says itself is against it. */
function refusalOf(
  { protocol = "HTTP", hostname, allowedRoutes }: Listener,
  route: {
    readonly host: string;
    readonly gatewayNamespace: string;
    readonly namespace: string;
    readonly routeKind: string;
  },
): string | undefined {
  const { host, gatewayNamespace, namespace, routeKind } = route;
  if (!speaksHttp(protocol)) return `speaks ${protocol}`;
  const kinds = allowedRoutes?.kinds ?? [];
  if (kinds.length > 0 && !kinds.some(({ kind }) => kind === routeKind))
    return `takes only ${kinds.map(({ kind }) => kind ?? "").join(", ")}`;
  if (hostname !== undefined && hostname !== "" && host !== "" && !covers(hostname, host))
    return `is for ${hostname}`;
  const from = allowedRoutes?.namespaces?.from ?? "Same";
  if (from === "Same" && gatewayNamespace !== namespace)
    return `takes routes of the namespace ${gatewayNamespace} only`;
  return from === "None" ? "takes no routes" : undefined;
}

function covers(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  const [wide, narrow] = [pattern.replace(/^\*/, ""), host.replace(/^\*/, "")];
  if (pattern.startsWith("*.")) return narrow.endsWith(wide);
  return host.startsWith("*.") && pattern.endsWith(narrow);
}

async function selects({ allowedRoutes }: Listener, namespace: string, look: Look): Promise<boolean> {
  const { from, selector } = allowedRoutes?.namespaces ?? {};
  if (from !== "Selector") return true;
  const found = await look(namespaceKind, namespace, undefined);
  if (found === "unseen" || found === undefined) return true;
  const labels = found.metadata?.labels ?? {};
  return (
    Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    // An operator that is not known is the controller's to judge.
    (selector?.matchExpressions ?? []).every((one) => meetsLabels(one, labels) ?? true)
  );
}
