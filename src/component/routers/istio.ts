import type { IngressLike } from "../../core/ingress-claims.ts";
import { placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { changed } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { cookiePattern } from "../../core/testers.ts";
import { routerCapabilities } from "./capabilities.ts";
import { gatewayOf } from "./gateway.ts";
import { istioGatewayKind, istioGround } from "./istio-gateway.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  claimedPaths,
  objectOf,
  ofTesters,
  ofWeights,
  refuseUnweighable,
  routingOf,
  testersOf,
  testersService,
  textMatchesOf,
  unsupported,
  weightsOf,
} from "./weighted.ts";

const kind: ObjectKind = { ...istioGatewayKind, kind: "VirtualService", plural: "virtualservices" };

/**
 * Istio's VirtualService at a Gateway that is there already: both slots with their weights in its last route, before it a route for each slot
 * by the preview header. Routes count in their order. Envoy has a cluster for each Service, whether a route leads to it or not.
 */
export const istio: Router = {
  name: "istio",
  readBy: ["istio"],
  ...ofWeights,
  capabilities: routerCapabilities.istio,
  kinds: [kind],
  rights: [{ kind, names: "route", awaited: false }],
  reads: [
    {
      group: istioGatewayKind.group,
      resource: istioGatewayKind.plural,
      names: "any",
      verbs: { get: ["plan", "up"], list: ["doctor", "init"] },
      why: "whether the Gateway is there and has the model's host; `doctor` and `init` propose it",
      without: "that a Gateway does not take the host shows at the first proof",
      scope: "cluster",
    },
  ],
  publishesAddress: false,
  needsGateway: true,
  advice:
    "Look whether the Gateway (`ingress.gateway`) selects the pods of the ingress gateway and has the model's host, and what `istioctl analyze` says of the VirtualService.",

  refs(model) {
    return [{ kind, name: objectNames(model).ingress }];
  },

  objects(input) {
    refuseUnweighable("istio", input);
    const name = objectNames(input.names ?? input.model).ingress;
    const service = objectOf(input, kind, name, { isMain: true, isWeighted: true });
    return [
      {
        ...service,
        metadata: {
          ...service.metadata,
          annotations: { ...service.metadata.annotations, ...ofTesters(input) },
        },
        spec: { gateways: [gatewayName(input)], ...routesOf(input) },
      },
    ];
  },

  read(model, objects) {
    const [ref] = istio.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    const shared = ((object?.spec as ObservedService | undefined)?.http ?? []).filter(isForEverybody);
    const [route, ...others] = shared;
    if (route === undefined || others.length > 0) return undefined;
    const weights = (route.route ?? []).map(({ destination, weight }, _, { length }) => ({
      name: destination?.host,
      // What stands alone has all requests, whatever is said.
      weight: length === 1 ? 100 : (weight ?? 0),
    }));
    const routing = routingOf(model, object, weights);
    if (routing === undefined || (route.mirrors ?? []).length > 0) return undefined;
    const to = route.mirror?.host;
    if (to !== undefined && to !== objectNames(model).service[routing.candidate]) return undefined;
    return changed(routing, {
      ...testersOf(object),
      mirror: to === undefined ? undefined : (route.mirrorPercentage?.value ?? 100),
    });
  },

  classOf: () => "",
  claim: claimOf,

  front(main) {
    // The Gateway's pods are behind a Service that nothing here names.
    return { name: main.metadata?.name ?? "", className: undefined, tlsHosts: [], addresses: [] };
  },

  ground: ({ ingress, namespace }, look) =>
    istioGround(gatewayOf("istio", ingress), { hosts: hostsOf(placesOf(ingress)), namespace }, look),
};

interface ObservedRoute {
  readonly match?: readonly {
    readonly uri?: { readonly exact?: string; readonly prefix?: string };
    readonly headers?: object;
  }[];
  readonly route?: readonly {
    readonly destination?: { readonly host?: string };
    readonly weight?: number;
  }[];
  readonly mirror?: { readonly host?: string };
  readonly mirrors?: readonly unknown[];
  readonly mirrorPercentage?: { readonly value?: number };
}

interface ObservedService {
  readonly hosts?: readonly string[];
  readonly http?: readonly ObservedRoute[];
}

const isForEverybody = ({ match = [] }: ObservedRoute) => match.every(({ headers }) => headers === undefined);

/** @throws UserError `gateway-missing`, `routing-unsupported` */
function gatewayName({ ingress }: Pick<RouterInput, "ingress">): string {
  const { name, namespace, sectionName } = gatewayOf("istio", ingress);
  if (sectionName === undefined) return namespace === undefined ? name : `${namespace}/${name}`;
  throw unsupported(
    "istio",
    `ingress.gateway.sectionName is "${sectionName}", and a VirtualService names a whole Gateway`,
    "Leave it out; which hosts a server of the Gateway takes is said there.",
  );
}

const hostsOf = (places: readonly { readonly host: string }[]) => [
  ...new Set(places.map(({ host }) => host || "*")),
];

/** @throws UserError `routing-unsupported` where the hosts have different paths: a route has all paths for all hosts */
function routesOf(input: RouterInput) {
  const { ingress, servicePort } = input;
  const places = placesOf(ingress);
  const hosts = hostsOf(places);
  const urisAt = (host: string) =>
    places.filter((place) => (place.host || "*") === host).flatMap(textMatchesOf);
  const [first = "", ...others] = hosts;
  const uris = urisAt(first);
  if (!others.every((host) => JSON.stringify(urisAt(host)) === JSON.stringify(uris))) {
    throw unsupported(
      "istio",
      `ingress.also gives the hosts ${hosts.join(", ")} different paths, and a VirtualService has all paths for all of its hosts`,
      "Give each host the same paths, or make a model for each.",
    );
  }
  const { service } = objectNames(input.names ?? input.model);
  const testers = testersService(input);
  const to = (host: string) => ({ destination: { host, port: { number: servicePort } } });
  const timeout = ingress.timeout === undefined ? {} : { timeout: `${ingress.timeout}s` };
  const byHeader = (name: string, value: HeaderMatch, target: string) => ({
    // Names of headers are lower-case here, whatever clients send.
    match: uris.map((uri) => ({ uri, headers: { [name.toLowerCase()]: value } })),
    route: [to(target)],
    ...timeout,
  });
  return {
    hosts,
    http: [
      ...slots.map((slot) => byHeader(input.previewHeader, { exact: slot }, service[slot])),
      ...(testers === undefined ? [] : testerHeaders(input)).map(([name, value]) =>
        byHeader(name, value, testers ?? ""),
      ),
      {
        match: uris.map((uri) => ({ uri })),
        route: weightsOf(input).map(({ service: host, weight }) => ({ ...to(host), weight })),
        ...copies(input),
        ...timeout,
      },
    ],
  };
}

type HeaderMatch = { readonly exact: string } | { readonly regex: string };

function testerHeaders({ testers }: RouterInput): readonly (readonly [string, HeaderMatch])[] {
  const { header, cookie } = testers ?? {};
  return [
    ...(header === undefined ? [] : [[header.name, { exact: header.value }] as const]),
    ...(cookie === undefined ? [] : [["cookie", { regex: cookiePattern(cookie) }] as const]),
  ];
}

function copies(input: RouterInput) {
  const { mirror, candidate } = input.routing;
  if (mirror === undefined) return {};
  const { service } = objectNames(input.names ?? input.model);
  return {
    mirror: { host: service[candidate], port: { number: input.servicePort } },
    mirrorPercentage: { value: mirror },
  };
}

/** VirtualServices of any Gateway are compared: which of them share one is not theirs to say alone. */
function claimOf({ metadata, spec }: ObservedObject): IngressLike {
  const { hosts = [], http = [] } = (spec ?? {}) as ObservedService;
  const uris = http.filter(isForEverybody).flatMap(({ match }) => match ?? [{ uri: { prefix: "/" } }]);
  const paths = claimedPaths(
    uris.flatMap(({ uri }) => uri?.prefix ?? []),
    uris.flatMap(({ uri }) => uri?.exact ?? []),
  );
  return {
    kind: kind.kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: { rules: hosts.map((host) => ({ host: host === "*" ? "" : host, http: { paths } })) },
  };
}
