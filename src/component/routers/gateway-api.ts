import type { IngressLike } from "../../core/ingress-claims.ts";
import { type GatewayRef, type IngressPlace, placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { changed } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { cookiePattern } from "../../core/testers.ts";
import { routerCapabilities } from "./capabilities.ts";
import { traefikGateway } from "./counters/traefik.ts";
import {
  gatewayClassKind,
  gatewayFront,
  gatewayGround,
  gatewayKind,
  gatewayOf,
  group,
  parentOf,
} from "./gateway.ts";
import { backendTlsKind } from "./gateway-backend-tls.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  type ObservedWeight,
  objectOf,
  ofTesters,
  ofWeights,
  refuseUnweighable,
  routingOf,
  testersOf,
  testersService,
  unsupported,
  weightsOf,
} from "./weighted.ts";

const routeKind: ObjectKind = { ...group, kind: "HTTPRoute", plural: "httproutes" };

/**
 * An HTTPRoute for a Gateway that is there already: both slots with their weights in its last rule, which never all are 0, since Envoy refuses
 * its whole configuration then; before it a rule for each slot, by the preview header. These name both slots at all times.
 */
export const gatewayApi: Router = {
  name: "gateway-api",
  ...ofWeights,
  counters: [traefikGateway],
  capabilities: routerCapabilities["gateway-api"],
  kinds: [routeKind],
  rights: [{ kind: routeKind, names: "route", awaited: false }],
  reads: [
    {
      group: gatewayKind.group,
      resource: gatewayKind.plural,
      names: "any",
      verbs: { get: ["status", "plan", "doctor", "up", "switch"] },
      why: "where clients connect, and whether a listener of the Gateway takes the route",
      without:
        "`ingress.endpoints` has to say where clients connect; that a route is not taken shows at its proof",
      scope: "cluster",
    },
    {
      group: gatewayClassKind.group,
      resource: gatewayClassKind.plural,
      names: "any",
      verbs: { get: ["plan", "up"] },
      why: "whether a controller has accepted the Gateway's class",
      without: "a class that no controller serves shows at the first proof",
      scope: "cluster",
    },
    {
      group: backendTlsKind.group,
      resource: backendTlsKind.plural,
      names: "route",
      verbs: { get: ["plan", "up"] },
      why: "whether the Gateway speaks TLS with the pods of both slots",
      without: 'a model with `ingress.protocol: "https"` is refused',
      scope: "namespace",
    },
  ],
  publishesAddress: true,
  needsGateway: true,
  advice:
    "Look at the conditions in the HTTPRoute's status (Accepted, ResolvedRefs), and whether both slots have ready pods.",

  refs(model) {
    return [{ kind: routeKind, name: objectNames(model).ingress }];
  },

  objects(input) {
    const { ingress } = input;
    refuseUnweighable("gateway-api", input);
    const name = objectNames(input.names ?? input.model).ingress;
    const route = objectOf(input, routeKind, name, { isMain: true, isWeighted: true });
    const annotations = { ...route.metadata.annotations, ...ofTesters(input) };
    return [
      {
        ...route,
        metadata: { ...route.metadata, annotations },
        spec: {
          parentRefs: [parentOf(gatewayOf("gateway-api", ingress))],
          ...routesOf(input),
        },
      },
    ];
  },

  read(model, objects) {
    const [ref] = gatewayApi.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    const rules = (object?.spec as ObservedRoute | undefined)?.rules ?? [];
    const shared = rules.filter(({ matches = [] }) =>
      matches.every(({ headers = [] }) => headers.length === 0),
    );
    const [rule, ...others] = shared;
    const routing =
      rule === undefined || others.length > 0 ? undefined : routingOf(model, object, rule.backendRefs ?? []);
    if (routing === undefined) return undefined;
    const [copies, ...more] = (rule?.filters ?? []).flatMap(({ requestMirror }) => requestMirror ?? []);
    const to = copies?.backendRef?.name;
    if (copies !== undefined && (more.length > 0 || to !== objectNames(model).service[routing.candidate]))
      return undefined;
    return changed(routing, {
      ...testersOf(object),
      mirror: copies === undefined ? undefined : (copies.percent ?? 100),
    });
  },

  classOf: () => "",
  claim: claimOf,

  addressedBy(main) {
    const [parent] = (main.spec as ObservedRoute | undefined)?.parentRefs ?? [];
    if (parent?.name === undefined) return undefined;
    return {
      kind: gatewayKind,
      name: parent.name,
      ...(parent.namespace === undefined ? {} : { namespace: parent.namespace }),
    };
  },
  front(main, gateway) {
    const { parentRefs: [parent] = [], hostnames } = (main.spec ?? {}) as ObservedRoute;
    const about = { sectionName: parent?.sectionName, hostnames };
    return { name: main.metadata?.name ?? "", ...gatewayFront(gateway, about) };
  },
  ground: (about, look) =>
    gatewayGround(gatewayOf("gateway-api", about.ingress), { ...about, routeKind: "HTTPRoute" }, look),
};

interface ObservedRoute {
  readonly parentRefs?: readonly Partial<GatewayRef>[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly {
    readonly matches?: readonly {
      readonly path?: { readonly type?: string; readonly value?: string };
      readonly headers?: readonly unknown[];
    }[];
    readonly backendRefs?: readonly ObservedWeight[];
    readonly filters?: readonly {
      readonly requestMirror?: {
        readonly backendRef?: { readonly name?: string };
        readonly percent?: number;
      };
    }[];
  }[];
}

/** @throws UserError `routing-unsupported` where the hosts have different paths: an HTTPRoute has all paths for all hosts */
function routesOf(input: RouterInput) {
  const places = placesOf(input.ingress);
  const hosts = [...new Set(places.map(({ host }) => host))];
  const pathsOf = (host: string) => places.filter((place) => place.host === host).map(matchOf);
  const [first = "", ...others] = hosts;
  const paths = pathsOf(first);
  const same = (host: string) => JSON.stringify(pathsOf(host)) === JSON.stringify(paths);
  if (!others.every(same)) {
    throw unsupported(
      "gateway-api",
      `ingress.also gives the hosts ${hosts.join(", ")} different paths, and an HTTPRoute has all paths for all of its hosts`,
      "Give each host the same paths, or make a model for each.",
    );
  }
  const { service } = objectNames(input.names ?? input.model);
  const testers = testersService(input);
  const named = hosts.filter((host) => host !== "");
  return {
    ...(named.length === 0 ? {} : { hostnames: named }),
    rules: [
      ...slots.map((slot) => ({
        matches: paths.map((path) => ({
          path,
          headers: [{ type: "Exact", name: input.previewHeader, value: slot }],
        })),
        backendRefs: [{ name: service[slot], port: input.servicePort }],
      })),
      ...(testers === undefined ? [] : testerHeaders(input)).map((header) => ({
        matches: paths.map((path) => ({ path, headers: [header] })),
        backendRefs: [{ name: testers ?? "", port: input.servicePort }],
      })),
      {
        matches: paths.map((path) => ({ path })),
        ...copies(input),
        backendRefs: weightsOf(input).map(({ service: name, weight }) => ({
          name,
          port: input.servicePort,
          weight,
        })),
      },
    ],
  };
}

/** Rules of the same precedence count in their order, so that a preview goes first. */
function testerHeaders({ testers }: RouterInput) {
  const { header, cookie } = testers ?? {};
  return [
    ...(header === undefined ? [] : [{ type: "Exact", name: header.name, value: header.value }]),
    ...(cookie === undefined
      ? []
      : [{ type: "RegularExpression", name: "Cookie", value: cookiePattern(cookie) }]),
  ];
}

/** All requests are copied where no per cent are said: some controllers know no others. */
function copies(input: RouterInput) {
  const { mirror, candidate } = input.routing;
  if (mirror === undefined) return {};
  const { service } = objectNames(input.names ?? input.model);
  const requestMirror = {
    backendRef: { name: service[candidate], port: input.servicePort },
    ...(mirror === 100 ? {} : { percent: mirror }),
  };
  return { filters: [{ type: "RequestMirror", requestMirror }] };
}

function matchOf({ path, pathType }: Required<IngressPlace>): { type: string; value: string } {
  switch (pathType) {
    case "Prefix":
      return { type: "PathPrefix", value: path };
    case "Exact":
      return { type: "Exact", value: path };
    case "ImplementationSpecific":
      throw unsupported(
        "gateway-api",
        `the path ${path} has pathType ImplementationSpecific, which an HTTPRoute does not know`,
        'Use pathType "Prefix" or "Exact".',
      );
  }
}

/** Routes of any Gateway are compared: which of them share one is not the cluster's to decide. */
function claimOf({ metadata, spec }: ObservedObject): IngressLike {
  const route = spec as ObservedRoute | undefined;
  const paths = (route?.rules ?? []).flatMap(({ matches = [{}] }) =>
    matches.flatMap(({ path, headers = [] }) =>
      headers.length > 0
        ? []
        : [{ path: path?.value ?? "/", pathType: path?.type === "Exact" ? "Exact" : "Prefix" }],
    ),
  );
  return {
    kind: routeKind.kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: { rules: (route?.hostnames ?? [""]).map((host) => ({ host, http: { paths } })) },
  };
}
