import type { IngressLike } from "../../core/ingress-claims.ts";
import { type IngressPlace, placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { changed, type Routing } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { cookiePattern, pinCookie, releaseOfCookie } from "../../core/testers.ts";
import { routerCapabilities } from "./capabilities.ts";
import { traefikCrd } from "./counters/traefik.ts";
import { classAnnotation } from "./main-ingress.ts";
import type { ObservedObject, Router, RouterInput, RoutingObject } from "./router.ts";
import {
  claimedPaths,
  objectOf,
  ofTesters,
  ofWeights,
  oneSecret,
  refuseUnweighable,
  routingOf,
  testersOf,
  testersService,
  weightsOf,
} from "./weighted.ts";

const group = { group: "traefik.io", version: "v1alpha1" } as const;
const routeKind: ObjectKind = { ...group, kind: "IngressRoute", plural: "ingressroutes" };
const serviceKind: ObjectKind = { ...group, kind: "TraefikService", plural: "traefikservices" };

/**
 * Traefik's own objects: an IngressRoute, which only changes for testers, and a TraefikService with the weights. While requests are copied, all
 * of the traffic is on one slot, and the TraefikService is one that mirrors. A Service of weight 0 is left out of
 * it: one child without endpoints fails a whole TraefikService (`buildServicesLB`, `loadServers` in
 * pkg/provider/kubernetes/crd/kubernetes_http.go), and the idle slot has none.
 */
export const traefik: Router = {
  name: "traefik",
  readBy: ["traefik"],
  ...ofWeights,
  counters: [traefikCrd],
  capabilities: routerCapabilities.traefik,
  kinds: [routeKind, serviceKind],
  rights: [routeKind, serviceKind].map((kind) => ({ kind, names: "route", awaited: false })),
  reads: [],
  publishesAddress: false,
  advice:
    "Check that Traefik's provider kubernetesCRD is on, watches this namespace and serves this class (`ingress.className`), and that both slots have ready pods.",

  refs(model) {
    const name = objectNames(model).ingress;
    return [
      { kind: routeKind, name },
      { kind: serviceKind, name },
    ];
  },

  objects(input) {
    const { ingress } = input;
    refuseUnweighable("traefik", input);
    const name = objectNames(input.names ?? input.model).ingress;
    const tls = oneSecret("traefik", ingress);
    const byAnnotation = ingress.classAnnotation === true && ingress.className !== undefined;
    const route = objectOf(input, routeKind, name, { isMain: true, isWeighted: false });
    const annotations = {
      ...route.metadata.annotations,
      ...ofTesters(input),
      ...(byAnnotation ? { [classAnnotation]: ingress.className } : {}),
    };
    return [
      {
        ...route,
        metadata: { ...route.metadata, annotations },
        spec: {
          ...(ingress.className === undefined || byAnnotation ? {} : { ingressClassName: ingress.className }),
          routes: routesOf(input, name),
          ...(tls === undefined ? {} : { tls }),
        },
      },
      {
        ...objectOf(input, serviceKind, name, { isMain: false, isWeighted: true }),
        spec: isMirrored(input.routing) ? mirroring(input) : weighted(input, name),
      },
    ] satisfies RoutingObject[];
  },

  read(model, objects) {
    const [main, ref] = traefik.refs(model);
    const object = objects.find((one) => ref !== undefined && isObject(one, ref));
    const { weighted, mirroring: copying } = (object?.spec ?? {}) as ObservedService;
    // Traefik looks for weights first.
    const mirroring = weighted === undefined ? copying : undefined;
    const weights = weighted?.services ?? (mirroring === undefined ? [] : [{ ...mirroring, weight: 100 }]);
    const routing = routingOf(model, object, weights);
    const [copies, ...more] = mirroring?.mirrors ?? [];
    const isForeign =
      copies !== undefined &&
      (more.length > 0 || copies.name !== objectNames(model).service[routing?.candidate ?? "blue"]);
    if (routing === undefined || isForeign) return undefined;
    return changed(routing, {
      ...testersOf(objects.find((one) => isObject(one, main))),
      mirror: copies?.percent,
      pinned: releaseOfCookie(objectNames(model).ingress, weighted?.sticky?.cookie?.name),
    });
  },

  classOf: ({ className = "" }) => className,
  claim: claimOf,

  front(main) {
    const spec = main.spec as ObservedRoute | undefined;
    return {
      name: main.metadata?.name ?? "",
      className: spec?.ingressClassName ?? main.metadata?.annotations?.[classAnnotation],
      tlsHosts: spec?.tls === undefined ? [] : ["*"],
      // An IngressRoute has no status.
      addresses: [],
    };
  },
};

interface ObservedRoute {
  readonly ingressClassName?: string;
  readonly tls?: object;
  readonly routes?: readonly { readonly match?: string }[];
}

interface ObservedService {
  readonly weighted?: {
    readonly services?: readonly { readonly name?: string; readonly weight?: number }[];
    readonly sticky?: { readonly cookie?: { readonly name?: string } };
  };
  readonly mirroring?: {
    readonly name?: string;
    readonly mirrors?: readonly { readonly name?: string; readonly percent?: number }[];
  };
}

/** A slot without traffic alone can get copies here: what has a share is weighed. */
function isMirrored({ mirror, weight, main, candidate }: Routing): boolean {
  return mirror !== undefined && weight === 0 && main !== candidate;
}

function mirroring(input: RouterInput) {
  const { service } = objectNames(input.names ?? input.model);
  const { main, candidate, mirror } = input.routing;
  return {
    mirroring: {
      ...backend(service[main], input),
      mirrors: [{ ...backend(service[candidate], input), percent: mirror }],
    },
  };
}

function weighted(input: RouterInput, name: string) {
  const { pinned } = input.routing;
  return {
    weighted: {
      services: weightsOf(input)
        .filter(({ weight }) => weight > 0)
        .map(({ service, weight }) => ({ ...backend(service, input), weight })),
      ...(pinned === undefined
        ? {}
        : { sticky: { cookie: { name: pinCookie(name, pinned), httpOnly: true } } }),
    },
  };
}

function backend(service: string, { servicePort, ingress }: RouterInput) {
  const scheme = schemes[ingress.protocol ?? "http"];
  return { name: service, port: servicePort, ...(scheme === undefined ? {} : { scheme }) };
}

const schemes = { http: undefined, https: "https", grpc: "h2c", grpcs: "https" } as const;

/**
 * For each place one route for clients, and one for each slot that the preview header names; these come first. Testers have routes like a
 * preview's, for whom the preview header is not there: what it names goes first.
 */
function routesOf(input: RouterInput, name: string) {
  const { service } = objectNames(input.names ?? input.model);
  const testers = testersService(input);
  return placesOf(input.ingress).flatMap((place) => {
    const match = ruleOf(place);
    const priority = priorityOf(place);
    return [
      ...slots.map((slot) => ({
        kind: "Rule",
        match: `${match} && Header(${quoted(input.previewHeader)}, ${quoted(slot)})`,
        priority: priority + 1,
        services: [backend(service[slot], input)],
      })),
      ...(testers === undefined ? [] : testerRules(input)).map((rule) => ({
        kind: "Rule",
        match: `${match} && ${rule}`,
        priority: priority + 1,
        services: [backend(testers ?? "", input)],
      })),
      { kind: "Rule", match, priority, services: [{ kind: serviceKind.kind, name }] },
    ];
  });
}

/** Rules for testers by their header and by their cookie; a request with a preview header is none of theirs. */
function testerRules({ testers, previewHeader }: RouterInput): readonly string[] {
  const { header, cookie } = testers ?? {};
  const rules = [
    ...(header === undefined ? [] : [`Header(${quoted(header.name)}, ${quoted(header.value)})`]),
    ...(cookie === undefined ? [] : [`HeaderRegexp(\`Cookie\`, ${quoted(cookiePattern(cookie))})`]),
  ];
  const isPreview = slots.map((slot) => `Header(${quoted(previewHeader)}, ${quoted(slot)})`).join(" || ");
  return rules.map((rule) => `${rule} && !(${isPreview})`);
}

function ruleOf({ host, path, pathType }: Required<IngressPlace>): string {
  const hosts = host === "" ? [] : [hostRule(host)];
  return [...hosts, pathRule(path, pathType)].join(" && ");
}

function hostRule(host: string): string {
  if (!host.startsWith("*.")) return `Host(${quoted(host)})`;
  return `HostRegexp(${quoted(`^[^.]+${host.slice(1).replaceAll(".", "\\.")}$`)})`;
}

/** Traefik compares texts, and Kubernetes the parts of a path: `/a` is not meant to be the beginning of `/ab`. */
function pathRule(path: string, pathType: IngressPlace["pathType"]): string {
  switch (pathType) {
    case "Exact":
      return `Path(${quoted(path)})`;
    case "Prefix": {
      const folder = path.replace(/\/+$/, "");
      return folder === ""
        ? "PathPrefix(`/`)"
        : `(Path(${quoted(folder)}) || PathPrefix(${quoted(`${folder}/`)}))`;
    }
    default:
      return `PathPrefix(${quoted(path)})`;
  }
}

/**
 * As long as the rule would be that somebody writes for this host and this path alone: that is what Traefik takes where nothing is said, so that
 * longer paths still win, those of others too. What the rule has beside does not count: a wildcard's pattern is longer than the hosts that it covers,
 * which win in Kubernetes whatever their paths. An exact path wins over the same one as a prefix, and a preview over neither: one more is less
 * than one part of a path.
 */
function priorityOf({ host, path, pathType }: Required<IngressPlace>): number {
  const ofPath = `PathPrefix(${quoted(path.replace(/(.)\/+$/, "$1"))})`.length;
  // One of every host comes after it, with its preview.
  const ofHost = host === "" ? 0 : host.startsWith("*.") ? 3 : `${hostRule(host)} && `.length;
  return ofHost + ofPath + (pathType === "Exact" ? 2 : 0);
}

function quoted(text: string): string {
  return text.includes("`") ? JSON.stringify(text) : `\`${text}\``;
}

/** Hosts and paths of an IngressRoute, as far as its rules name them one by one; routes for a header only add to those of others. */
function claimOf({ metadata, spec }: ObservedObject): IngressLike {
  const route = spec as ObservedRoute | undefined;
  const matches = (route?.routes ?? [])
    .map(({ match = "" }) => match)
    .filter((text) => !/(?<![A-Za-z])Headers?(Regexp)?\(/.test(text));
  const rules = matches.flatMap((match) => {
    const hosts = hostsOf(match);
    const paths = claimedPaths(argumentsOf(match, "PathPrefix"), argumentsOf(match, "Path"));
    const all = paths.length === 0 ? [{ path: "/", pathType: "Prefix" }] : paths;
    return hosts.map((host) => ({ host, http: { paths: all } }));
  });
  return {
    kind: routeKind.kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: {
      ...(route?.ingressClassName === undefined ? {} : { ingressClassName: route.ingressClassName }),
      rules,
    },
  };
}

/** A rule that names no host is for every one; of patterns only wildcards are known. */
function hostsOf(match: string): string[] {
  const patterns = argumentsOf(match, "HostRegexp");
  const wildcards = patterns.flatMap((pattern) => {
    const [, rest] = /^\^\[\^\.\]\+\\\.(.+)\$$/.exec(pattern) ?? [];
    return rest === undefined ? [] : [`*.${rest.replaceAll("\\.", ".")}`];
  });
  const hosts = [...argumentsOf(match, "Host"), ...wildcards];
  const isForAll = hosts.length === 0 && patterns.length === 0 && !/(?<![A-Za-z])HostSNI/.test(match);
  return isForAll ? [""] : hosts;
}

/** The texts in `Host(`a`) || Host(`b`)`. */
function argumentsOf(match: string, matcher: string): string[] {
  const calls = match.matchAll(new RegExp(`(?<![A-Za-z])${matcher}\\((?:\`([^\`]*)\`|"([^"]*)")\\)`, "g"));
  return [...calls].map(([, plain, double]) => plain ?? double ?? "");
}
