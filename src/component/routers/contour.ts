import type { IngressLike } from "../../core/ingress-claims.ts";
import { placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { changed } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { cookiePattern } from "../../core/testers.ts";
import { type LoadBalanced, loadBalancerAddresses } from "./addresses.ts";
import { routerCapabilities } from "./capabilities.ts";
import { contourEnvoy } from "./counters/envoy.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  alike,
  claimedPaths,
  type ObservedWeight,
  objectOf,
  ofTesters,
  ofWeights,
  oneHost,
  oneSecret,
  refuseUnweighable,
  routingOf,
  type TextMatch,
  testersOf,
  testersService,
  textMatchesOf,
  unsupported,
  weightsOf,
} from "./weighted.ts";

const kind: ObjectKind = {
  group: "projectcontour.io",
  version: "v1",
  kind: "HTTPProxy",
  plural: "httpproxies",
};

/**
 * Contour's HTTPProxy: both slots with their weights in each route of clients, and a route for each slot by the preview header. Envoy has a
 * cluster for each Service, which the preview routes keep warm.
 */
export const contour: Router = {
  name: "contour",
  readBy: ["contour"],
  ...ofWeights,
  capabilities: routerCapabilities.contour,
  counters: [contourEnvoy],
  kinds: [kind],
  rights: [{ kind, names: "route", awaited: false }],
  reads: [],
  publishesAddress: true,
  advice:
    "Look at the HTTPProxy's status (`currentStatus`, `description`), and whether Contour serves its class (`ingress.className`).",

  refs(model) {
    return [{ kind, name: objectNames(model).ingress }];
  },

  objects(input) {
    const { ingress } = input;
    refuseUnweighable("contour", input);
    const name = objectNames(input.names ?? input.model).ingress;
    const tls = oneSecret("contour", ingress);
    const proxy = objectOf(input, kind, name, { isMain: true, isWeighted: true });
    return [
      {
        ...proxy,
        metadata: {
          ...proxy.metadata,
          annotations: { ...proxy.metadata.annotations, ...ofTesters(input) },
        },
        spec: {
          ...(ingress.className === undefined ? {} : { ingressClassName: ingress.className }),
          virtualhost: {
            fqdn: oneHost("contour", "an HTTPProxy", ingress),
            ...(tls === undefined ? {} : { tls: { secretName: secretOf(tls) } }),
          },
          routes: placesOf(ingress).flatMap((place) =>
            textMatchesOf(place).flatMap((condition) => routesOf(input, condition)),
          ),
        },
      },
    ];
  },

  read(model, objects) {
    const [ref] = contour.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    const shared = ((object?.spec as ObservedProxy | undefined)?.routes ?? []).filter(
      (route) => !isPreview(route),
    );
    const routings = shared.map(({ services = [] }) => {
      const copies = services.filter(({ mirror }) => mirror === true);
      const routing = routingOf(model, object, weighed(services.filter(({ mirror }) => mirror !== true)));
      const isForeign = copies.some(
        ({ name }) => routing === undefined || name !== objectNames(model).service[routing.candidate],
      );
      const [one] = copies;
      return routing === undefined || isForeign
        ? undefined
        : changed(routing, { mirror: one && (one.weight ?? 100) });
    });
    const routing = alike(routings);
    return routing && changed(routing, testersOf(object));
  },

  classOf: ({ className = "" }) => className,
  claim: claimOf,

  front(main) {
    const spec = main.spec as ObservedProxy | undefined;
    return {
      name: main.metadata?.name ?? "",
      className: spec?.ingressClassName,
      tlsHosts: spec?.virtualhost?.tls === undefined ? [] : [spec.virtualhost.fqdn ?? "*"],
      addresses: loadBalancerAddresses(main.status as LoadBalanced | undefined),
    };
  },
};

/**
 * A weight of 0 is the same as none in an HTTPProxy, and whoever writes one in Go, a webhook for example, leaves it out; where all are left out,
 * Envoy shares alike.
 */
function weighed(services: readonly ObservedWeight[]): readonly ObservedWeight[] {
  const isShared = services.some(({ weight = 0 }) => weight > 0);
  return services.map(({ name, weight = 0 }) => ({ name, weight: isShared ? weight : 1 }));
}

interface ObservedRoute {
  readonly conditions?: readonly {
    readonly prefix?: string;
    readonly exact?: string;
    readonly header?: object;
  }[];
  readonly services?: readonly (ObservedWeight & { readonly mirror?: boolean })[];
}

interface ObservedProxy {
  readonly ingressClassName?: string;
  readonly virtualhost?: { readonly fqdn?: string; readonly tls?: object };
  readonly routes?: readonly ObservedRoute[];
}

const isPreview = ({ conditions = [] }: ObservedRoute) =>
  conditions.some(({ header }) => header !== undefined);

function secretOf({ secretName }: { readonly secretName?: string }): string {
  if (secretName !== undefined) return secretName;
  throw unsupported(
    "contour",
    "ingress.tls names no Secret, and Contour has no default certificate",
    "Name ingress.tls[].secretName.",
  );
}

function routesOf(input: RouterInput, condition: TextMatch) {
  const { ingress, previewHeader, servicePort, keepAliveSeconds } = input;
  const { service } = objectNames(input.names ?? input.model);
  const testers = testersService(input);
  const protocol = protocols[ingress.protocol ?? "http"];
  const to = (name: string) => ({ name, port: servicePort, ...(protocol === undefined ? {} : { protocol }) });
  const times = {
    ...(ingress.timeout === undefined ? {} : { response: `${ingress.timeout}s` }),
    ...(keepAliveSeconds === undefined ? {} : { idleConnection: idleTime(keepAliveSeconds) }),
  };
  const timeout = Object.keys(times).length === 0 ? {} : { timeoutPolicy: times };
  return [
    ...slots.map((slot) => ({
      conditions: [condition, { header: { name: previewHeader, exact: slot } }],
      services: [to(service[slot])],
      ...timeout,
    })),
    ...(testers === undefined ? [] : testerConditions(input)).map((header) => ({
      // A preview's header goes first.
      conditions: [
        condition,
        { header },
        ...slots.map((slot) => ({
          header: { name: previewHeader, notexact: slot, treatMissingAsEmpty: true },
        })),
      ],
      services: [to(testers ?? "")],
      ...timeout,
    })),
    { conditions: [condition], services: sharedBy(input, to), ...timeout },
  ];
}

/** Both slots with their weights; while requests are copied, the one with the traffic, and the one that gets the copies. */
function sharedBy<T>(input: RouterInput, to: (name: string) => T) {
  const { mirror, candidate, main, weight: share } = input.routing;
  const isMirrored = mirror !== undefined && share === 0 && main !== candidate;
  return weightsOf(input).map(({ slot, service, weight }) =>
    isMirrored && slot === candidate
      ? { ...to(service), mirror: true, weight: mirror }
      : { ...to(service), weight },
  );
}

function testerConditions({ testers }: RouterInput) {
  const { header, cookie } = testers ?? {};
  return [
    ...(header === undefined ? [] : [{ name: header.name, exact: header.value }]),
    ...(cookie === undefined ? [] : [{ name: "Cookie", regex: cookiePattern(cookie) }]),
  ];
}

/** Well before the model server closes a connection, which Envoy keeps for an hour: a request that meets a closing one gets 503. */
function idleTime(keepAliveSeconds: number): string {
  return `${Math.max(1, Math.floor(keepAliveSeconds * 600))}ms`;
}

const protocols = { http: undefined, https: "tls", grpc: "h2c", grpcs: "h2" } as const;

function claimOf({ metadata, spec }: ObservedObject): IngressLike {
  const proxy = spec as ObservedProxy | undefined;
  const conditions = (proxy?.routes ?? [])
    .filter((route) => !isPreview(route))
    .flatMap((route) => route.conditions ?? [{ prefix: "/" }]);
  const paths = claimedPaths(
    conditions.flatMap(({ prefix }) => prefix ?? []),
    conditions.flatMap(({ exact }) => exact ?? []),
  );
  const host = proxy?.virtualhost?.fqdn;
  return {
    kind: kind.kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: {
      ...(proxy?.ingressClassName === undefined ? {} : { ingressClassName: proxy.ingressClassName }),
      // Without a host it is included by another one, whose host it has.
      rules: host === undefined ? [] : [{ host, http: { paths } }],
    },
  };
}
