import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { IngressLike } from "../../core/ingress-claims.ts";
import { type IngressSpec, placesOf } from "../../core/model.ts";
import { type Named, objectNames, ownLabels } from "../../core/names.ts";
import { apiVersionOf, type ObjectKind } from "../../core/object-kind.ts";
import type { RoutingNeeds } from "../../core/optional-permissions.ts";
import type { RouterName } from "../../core/router-names.ts";
import { isShare } from "../../core/routing.ts";
import { isSlot, type Slot, slots } from "../../core/slots.ts";
import { type LoadBalanced, loadBalancerAddresses } from "./addresses.ts";
import type { Front, ObservedObject, Router, RouterInput, RoutingObject } from "./router.ts";

export const ingressKind: ObjectKind = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
};

/** What every router of Ingresses needs of them and their classes. */
export const ingressNeeds: RoutingNeeds = {
  rights: [{ kind: ingressKind, names: "routing", awaited: true }],
  reads: [
    {
      group: "networking.k8s.io",
      resource: "ingressclasses",
      names: "any",
      verbs: { get: ["up", "switch"], list: ["doctor", "up"] },
      why: "where the ingress controller of a local cluster listens; `doctor` checks that the class exists",
      without:
        "the address in the Ingress's status, or `ingress.endpoints`, is used; `doctor` skips that check",
      scope: "cluster",
    },
  ],
};

/** An Ingress as it is written. */
export interface IngressManifest extends RoutingObject {
  readonly spec: {
    readonly ingressClassName?: string;
    readonly tls?: { readonly hosts?: string[]; readonly secretName?: string }[];
    readonly rules: {
      readonly host: string;
      readonly http: {
        readonly paths: {
          readonly path: string;
          readonly pathType: NonNullable<IngressSpec["pathType"]>;
          readonly backend: {
            readonly service: {
              readonly name: string;
              readonly port: { readonly number: number } | { readonly name: string };
            };
          };
        }[];
      };
    }[];
  };
}

/** What is read of an Ingress. */
interface ObservedSpec {
  readonly ingressClassName?: string;
  readonly tls?: readonly { readonly hosts?: readonly string[] }[];
  readonly rules?: readonly {
    readonly http?: {
      readonly paths?: readonly {
        readonly backend?: { readonly service?: { readonly name?: string } };
      }[];
    };
  }[];
}

/** An Ingress that sends the model's hosts and paths to one slot: what every router has in common. */
export function ingressTo(
  slot: Slot,
  input: RouterInput,
  about: {
    readonly name: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly tls: boolean;
    /** @default the slot's */
    readonly service?: string;
  },
): IngressManifest {
  const { ingress } = input;
  const places = placesOf(ingress);
  const hosts = [...new Set(places.map(({ host }) => host))];
  const className = ingress.className ?? defaults.ingress.className;
  return {
    apiVersion: apiVersionOf(ingressKind),
    kind: ingressKind.kind,
    metadata: {
      name: about.name,
      ...(input.namespace === undefined ? {} : { namespace: input.namespace }),
      labels: { app: input.model, ...ownLabels(input.model) },
      annotations:
        ingress.classAnnotation === true
          ? { ...about.annotations, [classAnnotation]: className }
          : about.annotations,
    },
    spec: {
      ...(ingress.classAnnotation === true ? {} : { ingressClassName: className }),
      ...(about.tls && ingress.tls !== undefined && ingress.tls.length > 0
        ? {
            tls: ingress.tls.map(({ hosts: named = hosts, secretName }) => ({
              ...(named.length === 0 ? {} : { hosts: [...named] }),
              ...(secretName === undefined ? {} : { secretName }),
            })),
          }
        : {}),
      rules: hosts.map((host) => ({
        host,
        http: {
          paths: places
            .filter((place) => place.host === host)
            .map(({ path, pathType }) => ({
              path,
              pathType,
              backend: {
                service: {
                  name: about.service ?? objectNames(input.names ?? input.model).service[slot],
                  port: { number: input.servicePort },
                },
              },
            })),
        },
      })),
    },
  };
}

/** The slot that all of an Ingress's paths to this model lead to; `undefined` when there is none, or more than one. */
export function backendSlot(model: Named, object: ObservedObject | undefined): Slot | undefined {
  const names = objectNames(model).service;
  const spec = object?.spec as ObservedSpec | undefined;
  const services = (spec?.rules ?? [])
    .flatMap((rule) => rule.http?.paths ?? [])
    .map((path) => path.backend?.service?.name);
  const found = slots.filter((slot) => services.includes(names[slot]));
  return found.length === 1 ? found[0] : undefined;
}

/** Where clients connect: class and hosts of TLS as the Ingress names them, addresses as the controller has published them. */
export function ingressFront(object: ObservedObject): Front {
  const spec = object.spec as ObservedSpec | undefined;
  const status = object.status as LoadBalanced | undefined;
  const tlsHosts = (spec?.tls ?? []).flatMap(({ hosts }) =>
    hosts === undefined || hosts.length === 0 ? ["*"] : hosts,
  );
  return {
    name: object.metadata?.name ?? "",
    className: spec?.ingressClassName ?? object.metadata?.annotations?.[classAnnotation],
    tlsHosts,
    addresses: loadBalancerAddresses(status),
  };
}

/** What all routers of Ingresses have in common. */
export const ofIngresses = {
  kinds: [ingressKind],
  ...ingressNeeds,
  byIngressClass: true,
  publishesAddress: true,
  classOf: ({ className = defaults.ingress.className }) => className,
  claim: (object) => object as IngressLike,
  front: ingressFront,
} as const satisfies Partial<Router>;

/** `canary` and `canary-*` decide where traffic goes; so they are the router's under every router. */
export const canaryAnnotation = /^[^/]*nginx[^/]*\/canary(-|$)/;
/** Names the class, as before there were IngressClasses. */
export const classAnnotation = "kubernetes.io/ingress.class";

/**
 * Refuses free annotations that decide about routing. `written` are the router's own, to quote both sides.
 * @throws UserError `annotation-owned`
 */
export function refuseOwnedAnnotations(
  router: RouterName,
  ingress: Pick<RouterInput["ingress"], "annotations" | "className">,
  written: Readonly<Record<string, string>>,
): void {
  for (const [key, value] of Object.entries(ingress.annotations ?? {})) {
    if (key === classAnnotation) {
      throw owned(
        `ingress.annotations has "${key}": "${value}", but the class is set by ingress.className ("${ingress.className ?? defaults.ingress.className}"); API servers refuse an Ingress with both where they differ, and old ones always.`,
        `Remove the annotation and set ingress.className: "${value}", with ingress.classAnnotation: true where the class is to stay an annotation.`,
      );
    }
    const own = written[key];
    if (own !== undefined || canaryAnnotation.test(key)) {
      const other =
        own === undefined
          ? `all canary annotations belong to the router "${router}", which derives them from the routing`
          : `the router "${router}" writes "${own}" there`;
      throw owned(
        `ingress.annotations has "${key}": "${value}", but ${other}.`,
        "Remove the annotation; traffic is moved by `live` or `routing`.",
      );
    }
  }
}

function owned(message: string, hint: string): UserError {
  return new UserError({ code: "annotation-owned", message, hint, exitCode: exitCodes.usage });
}

/** @throws UserError `routing-invalid` */
export function refuseInvalidRouting({ main, candidate, weight }: RouterInput["routing"]): void {
  if (isSlot(main) && isSlot(candidate) && isShare(weight)) return;
  throw new UserError({
    code: "routing-invalid",
    message: `The routing { main: "${main}", candidate: "${candidate}", weight: ${weight} } is not valid: main and candidate must be blue or green, weight a number from 0 to 100 with at most two decimals.`,
    exitCode: exitCodes.usage,
  });
}
