import type { IngressLike } from "../../core/ingress-claims.ts";
import { placesOf } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { slots } from "../../core/slots.ts";
import { routerCapabilities } from "./capabilities.ts";
import { gatewayGround, gatewayOf, group, parentOf } from "./gateway.ts";
import { gatewayApi } from "./gateway-api.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  type ObservedWeight,
  objectOf,
  ofWeights,
  refuseUnweighable,
  routingOf,
  unsupported,
  weightsOf,
} from "./weighted.ts";

const router = "gateway-api-grpc";
const routeKind: ObjectKind = { ...group, kind: "GRPCRoute", plural: "grpcroutes" };

/**
 * The router `gateway-api` for a model that speaks gRPC: a GRPCRoute instead of the HTTPRoute, for a model has one route and traffic moves by
 * one write. Its rules are the same, but that calls have no paths. No counters are read: a call that fails is an HTTP 200 there.
 */
export const gatewayApiGrpc: Router = {
  name: router,
  ...ofWeights,
  capabilities: routerCapabilities["gateway-api-grpc"],
  kinds: [routeKind],
  rights: [{ kind: routeKind, names: "route", awaited: false }],
  reads: gatewayApi.reads,
  publishesAddress: true,
  needsGateway: true,
  isForGrpc: true,
  advice:
    "Look at the conditions in the GRPCRoute's status (Accepted, ResolvedRefs), and whether both slots have ready pods.",

  refs(model) {
    return [{ kind: routeKind, name: objectNames(model).ingress }];
  },

  objects(input) {
    const { ingress } = input;
    refuseUnweighable(router, input);
    const name = objectNames(input.names ?? input.model).ingress;
    return [
      {
        ...objectOf(input, routeKind, name, { isMain: true, isWeighted: true }),
        spec: { parentRefs: [parentOf(gatewayOf(router, ingress))], ...routesOf(input) },
      },
    ];
  },

  read(model, objects) {
    const [ref] = gatewayApiGrpc.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    const [rule, ...others] = sharedIn(object);
    return rule === undefined || others.length > 0
      ? undefined
      : routingOf(model, object, rule.backendRefs ?? []);
  },

  classOf: gatewayApi.classOf,
  claim: claimOf,
  ...(gatewayApi.addressedBy === undefined ? {} : { addressedBy: gatewayApi.addressedBy }),
  front: gatewayApi.front,
  ground: (about, look) =>
    gatewayGround(gatewayOf(router, about.ingress), { ...about, routeKind: "GRPCRoute" }, look),
};

interface ObservedRoute {
  readonly hostnames?: readonly string[];
  readonly rules?: readonly {
    readonly matches?: readonly { readonly headers?: readonly unknown[] }[];
    readonly backendRefs?: readonly ObservedWeight[];
  }[];
}

/** The rules that are for everybody. */
function sharedIn(object: ObservedObject | undefined) {
  const { rules = [] } = (object?.spec as ObservedRoute | undefined) ?? {};
  return rules.filter(({ matches = [] }) => matches.every(({ headers = [] }) => headers.length === 0));
}

/** @throws UserError `routing-unsupported` for what is no gRPC, for paths, and for TLS towards the pods */
function routesOf(input: RouterInput) {
  const { ingress, servicePort } = input;
  const { protocol = "http" } = ingress;
  if (protocol !== "grpc") {
    throw protocol === "grpcs"
      ? unsupported(router, "TLS towards the pods is a BackendTLSPolicy's affair", 'Use protocol: "grpc".')
      : unsupported(
          router,
          `a GRPCRoute is for gRPC, and ingress.protocol is "${protocol}"`,
          'Set ingress.protocol: "grpc", or use router: "gateway-api".',
        );
  }
  const places = placesOf(ingress);
  const narrow = places.find(({ path, pathType }) => path !== "/" || pathType !== "Prefix");
  if (narrow !== undefined) {
    throw unsupported(
      router,
      `a GRPCRoute has no paths, and the configuration has ${narrow.path} (${narrow.pathType})`,
      "Leave the path out: a host of its own tells models apart.",
    );
  }
  const { service } = objectNames(input.names ?? input.model);
  const hosts = [...new Set(places.map(({ host }) => host))].filter((host) => host !== "");
  return {
    ...(hosts.length === 0 ? {} : { hostnames: hosts }),
    rules: [
      ...slots.map((slot) => ({
        matches: [{ headers: [{ type: "Exact", name: input.previewHeader, value: slot }] }],
        backendRefs: [{ name: service[slot], port: servicePort }],
      })),
      {
        backendRefs: weightsOf(input).map(({ service: name, weight }) => ({
          name,
          port: servicePort,
          weight,
        })),
      },
    ],
  };
}

/** A GRPCRoute has its hosts whole. */
function claimOf(object: ObservedObject): IngressLike {
  const { metadata, spec } = object;
  const route = spec as ObservedRoute | undefined;
  const paths = sharedIn(object).length === 0 ? [] : [{ path: "/", pathType: "Prefix" }];
  return {
    kind: routeKind.kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: { rules: (route?.hostnames ?? [""]).map((host) => ({ host, http: { paths } })) },
  };
}
