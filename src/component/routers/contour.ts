import type { IngressLike } from "../../core/ingress-claims.ts";
import { type IngressPlace, type IngressSpec, placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { slots } from "../../core/slots.ts";
import { type LoadBalanced, loadBalancerAddresses } from "./addresses.ts";
import { contourEnvoy } from "./counters/envoy.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  claimedPaths,
  type ObservedWeight,
  objectOf,
  ofWeights,
  oneSecret,
  refuseUnweighable,
  routingOf,
  unsupported,
  weightedCapabilities,
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
  ...ofWeights,
  counters: [contourEnvoy],
  capabilities: { ...weightedCapabilities, timeout: true, backendProtocol: true },
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
    return [
      {
        ...objectOf(input, kind, name, { isMain: true, isWeighted: true }),
        spec: {
          ...(ingress.className === undefined ? {} : { ingressClassName: ingress.className }),
          virtualhost: {
            fqdn: hostOf(ingress),
            ...(tls === undefined ? {} : { tls: { secretName: secretOf(tls) } }),
          },
          routes: placesOf(ingress).flatMap((place) =>
            conditionsOf(place).flatMap((condition) => routesOf(input, condition)),
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
    const [first, ...others] = shared.map(({ services = [] }) => routingOf(model, object, services));
    // All of the model's paths are shared alike, or somebody else has written here.
    return others.every((one) => JSON.stringify(one) === JSON.stringify(first)) ? first : undefined;
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

interface ObservedRoute {
  readonly conditions?: readonly {
    readonly prefix?: string;
    readonly exact?: string;
    readonly header?: object;
  }[];
  readonly services?: readonly ObservedWeight[];
}

interface ObservedProxy {
  readonly ingressClassName?: string;
  readonly virtualhost?: { readonly fqdn?: string; readonly tls?: object };
  readonly routes?: readonly ObservedRoute[];
}

const isPreview = ({ conditions = [] }: ObservedRoute) =>
  conditions.some(({ header }) => header !== undefined);

/** @throws UserError `routing-unsupported` where there are several: an HTTPProxy is for one */
function hostOf(ingress: IngressSpec): string {
  const hosts = [...new Set(placesOf(ingress).map(({ host }) => host))];
  const [host, ...others] = hosts;
  if (host !== undefined && host !== "" && others.length === 0) return host;
  throw unsupported(
    "contour",
    `an HTTPProxy is for one host, and the configuration has ${hosts.map((one) => one || "every host").join(", ")}`,
    "Make a model for each host, or use another router.",
  );
}

function secretOf({ secretName }: { readonly secretName?: string }): string {
  if (secretName !== undefined) return secretName;
  throw unsupported(
    "contour",
    "ingress.tls names no Secret, and Contour has no default certificate",
    "Name ingress.tls[].secretName.",
  );
}

type PathCondition = { readonly prefix: string } | { readonly exact: string };

/** Contour compares texts, and Kubernetes the parts of a path: `/a` is not meant to be the beginning of `/ab`. */
function conditionsOf({ path, pathType }: Required<IngressPlace>): readonly PathCondition[] {
  switch (pathType) {
    case "Exact":
      return [{ exact: path }];
    case "ImplementationSpecific":
      return [{ prefix: path }];
    case "Prefix": {
      const folder = path.replace(/\/+$/, "");
      return folder === "" ? [{ prefix: "/" }] : [{ exact: folder }, { prefix: `${folder}/` }];
    }
  }
}

function routesOf(input: RouterInput, condition: PathCondition) {
  const { ingress, previewHeader, servicePort, keepAliveSeconds } = input;
  const { service } = objectNames(input.names ?? input.model);
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
    {
      conditions: [condition],
      services: weightsOf(input).map(({ service: name, weight }) => ({ ...to(name), weight })),
      ...timeout,
    },
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
