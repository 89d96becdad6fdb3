import type { IngressLike } from "../../core/ingress-claims.ts";
import { type IngressPlace, placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { quantityValue } from "../../core/quantity.ts";
import { changed, wholeShare } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { cookieValue, previewHeaderTaken, type Testers } from "../../core/testers.ts";
import { routerCapabilities } from "./capabilities.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  alike,
  claimedPaths,
  objectOf,
  ofTesters,
  ofWeights,
  oneHost,
  oneSecret,
  refuseUnweighable,
  routingOf,
  testersOf,
  textMatchesOf,
  unsupported,
  weightsOf,
} from "./weighted.ts";

const kind: ObjectKind = {
  group: "k8s.nginx.org",
  version: "v1",
  kind: "VirtualServer",
  plural: "virtualservers",
};

/**
 * The VirtualServer of NGINX Inc's controller (nginx/kubernetes-ingress): an upstream for each slot, and in each route both with their weights
 * (`splits`, by the id of each request), after the matches of the preview header and of testers. A split of weight 0 is left out by the
 * controller, and an upstream without pods answers 502, so that an idle slot costs nothing (internal/configs/virtualserver.go).
 */
export const nginxInc: Router = {
  name: "nginx-inc",
  readBy: ["f5-nginx"],
  ...ofWeights,
  capabilities: routerCapabilities["nginx-inc"],
  kinds: [kind],
  rights: [{ kind, names: "route", awaited: false }],
  reads: [],
  publishesAddress: true,
  advice:
    "Look at the VirtualServer's status (`state`, `reason`, `message`), whether the controller serves its class (`ingress.className`), and whether another object has the host already.",

  refs(model) {
    return [{ kind, name: objectNames(model).ingress }];
  },

  objects(input) {
    const { ingress } = input;
    refuseUnweighable("nginx-inc", input);
    const name = objectNames(input.names ?? input.model).ingress;
    const tls = oneSecret("nginx-inc", ingress);
    const server = objectOf(input, kind, name, { isMain: true, isWeighted: true });
    return [
      {
        ...server,
        metadata: {
          ...server.metadata,
          annotations: { ...server.metadata.annotations, ...ofTesters(input) },
        },
        spec: {
          ...(ingress.className === undefined ? {} : { ingressClassName: ingress.className }),
          host: oneHost("nginx-inc", "a VirtualServer", ingress),
          ...(tls === undefined
            ? {}
            : { tls: tls.secretName === undefined ? {} : { secret: tls.secretName } }),
          upstreams: upstreamsOf(input),
          routes: placesOf(ingress)
            .flatMap(locationsOf)
            .map((path) => ({ path, matches: matchesOf(input), splits: splitsOf(input) })),
        },
      },
    ];
  },

  read(model, objects) {
    const [ref] = nginxInc.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    const { upstreams = [], routes = [] } = (object?.spec ?? {}) as ObservedServer;
    const routing = alike(
      routes.map(({ splits = [] }) =>
        routingOf(
          model,
          object,
          splits.map(({ weight, action }) => ({
            weight,
            name: upstreams.find((one) => one.name === action?.pass)?.service,
          })),
          wholeShare,
        ),
      ),
    );
    return routing && changed(routing, testersOf(object));
  },

  classOf: ({ className = "" }) => className,
  claim: claimOf,
  testersProblem,

  front(main) {
    const spec = main.spec as ObservedServer | undefined;
    const status = main.status as ObservedStatus | undefined;
    return {
      name: main.metadata?.name ?? "",
      className: spec?.ingressClassName,
      tlsHosts: spec?.tls === undefined ? [] : [spec.host ?? "*"],
      addresses: (status?.externalEndpoints ?? [])
        .flatMap(({ ip, hostname }) => ip || hostname || [])
        .filter((address) => address !== ""),
    };
  },
};

interface ObservedServer {
  readonly ingressClassName?: string;
  readonly host?: string;
  readonly tls?: object;
  readonly upstreams?: readonly { readonly name?: string; readonly service?: string }[];
  readonly routes?: readonly {
    readonly path?: string;
    readonly splits?: readonly { readonly weight?: number; readonly action?: { readonly pass?: string } }[];
  }[];
}

interface ObservedStatus {
  readonly externalEndpoints?: readonly { readonly ip?: string; readonly hostname?: string }[];
}

function locationsOf(place: Required<IngressPlace>): readonly string[] {
  const { path } = place;
  if (/[\s{};\\]/.test(path)) {
    throw unsupported(
      "nginx-inc",
      `the path ${JSON.stringify(path)} has white space or one of { } ; \\, which a VirtualServer refuses`,
      "Use a path without them, or another router.",
    );
  }
  return textMatchesOf(place).map((match) => ("exact" in match ? `=${match.exact}` : match.prefix));
}

/** Called as their slots: names of Services may be longer than names of upstreams. */
function upstreamsOf(input: RouterInput) {
  const { ingress, servicePort } = input;
  const { timeout, maxBodySize, protocol = "http" } = ingress;
  const { service } = objectNames(input.names ?? input.model);
  const isGrpc = protocol === "grpc" || protocol === "grpcs";
  const isEncrypted = protocol === "https" || protocol === "grpcs";
  return slots.map((slot) => ({
    name: slot,
    service: service[slot],
    port: servicePort,
    ...(timeout === undefined ? {} : { "read-timeout": `${timeout}s`, "send-timeout": `${timeout}s` }),
    ...(maxBodySize === undefined ? {} : { "client-max-body-size": sizeOf(maxBodySize) }),
    ...(isGrpc ? { type: "grpc" } : {}),
    ...(isEncrypted ? { tls: { enable: true } } : {}),
  }));
}

function sizeOf(maxBodySize: string): string {
  return maxBodySize === "unlimited" ? "0" : String(Math.floor(quantityValue(maxBodySize) ?? 0));
}

/** The first one that fits counts, so that a preview goes first. */
function matchesOf({ previewHeader, testers, routing }: RouterInput) {
  const to = routing.testers;
  const { header, cookie } = testers ?? {};
  return [
    ...slots.map((slot) => ({
      conditions: [{ header: previewHeader, value: slot }],
      action: { pass: slot },
    })),
    ...(to === undefined || header === undefined
      ? []
      : [{ conditions: [{ header: header.name, value: header.value }], action: { pass: to } }]),
    ...(to === undefined || cookie === undefined
      ? []
      : [{ conditions: [{ cookie: cookie.name, value: cookieValue(cookie) }], action: { pass: to } }]),
  ];
}

function splitsOf(input: RouterInput) {
  return weightsOf(input).map(({ slot, weight }) => ({ weight, action: { pass: slot } }));
}

/** A cookie becomes a variable of NGINX, and a value stands in a `map`, where one that begins with ~ is a pattern. */
function testersProblem(testers: Testers, previewHeader: string): string | undefined {
  const { header, cookie } = testers;
  if (cookie !== undefined && !/^\w+$/.test(cookie.name))
    return `has the cookie ${cookie.name}, but a VirtualServer knows cookies by letters, digits and _ only`;
  const pattern = [header?.value, cookie?.value].find((value) => value?.startsWith("~") === true);
  if (pattern !== undefined)
    return `has the value ${pattern}, and NGINX takes what begins with ~ for a pattern`;
  return previewHeaderTaken(testers, previewHeader);
}

function claimOf({ metadata, spec }: ObservedObject): IngressLike {
  const { host, ingressClassName, routes = [] } = (spec ?? {}) as ObservedServer;
  const locations = routes.flatMap(({ path }) => path ?? []);
  const paths = claimedPaths(
    locations.filter((path) => path.startsWith("/")),
    locations.filter((path) => path.startsWith("=")).map((path) => path.slice(1).trimStart()),
  );
  return {
    kind: kind.kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: {
      ...(ingressClassName === undefined ? {} : { ingressClassName }),
      rules: host === undefined ? [] : [{ host, http: { paths } }],
    },
  };
}
