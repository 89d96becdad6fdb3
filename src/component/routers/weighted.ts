import { exitCodes, UserError } from "../../core/errors.ts";
import { type IngressPlace, type IngressSpec, placesOf } from "../../core/model.ts";
import { type Named, objectNames, ownLabels } from "../../core/names.ts";
import { apiVersionOf, type ObjectKind } from "../../core/object-kind.ts";
import type { RouterName } from "../../core/router-names.ts";
import {
  finestShare,
  partsOf,
  type Routing,
  type Side,
  settled,
  settledOn,
  sharedAsNear,
  splitOf,
  toShare,
} from "../../core/routing.ts";
import { isSlot, otherSlot, type Slot, slots } from "../../core/slots.ts";
import { refuseInvalidRouting, refuseOwnedAnnotations } from "./main-ingress.ts";
import type { ObservedObject, Router, RouterInput, RoutingObject } from "./router.ts";

/**
 * What routers have in common that weigh both slots in one object: all traffic on a slot is a weight of 100, and the routes that force a
 * request to a slot, by the slot's name in the preview header, never change.
 */

/** What all routers of weights have in common. */
export const ofWeights = {
  byIngressClass: false,
  requestAnnotations: () => ({}),
  force: (routing: Routing, side: Side): Slot => routing[side],
} as const satisfies Partial<Router>;

/** Which slot has the traffic by default while it is shared: the weights alone do not say it. */
export const mainAnnotation = "modelswitch.dev/main";

/** The slot whose routes testers have, where they have any. */
export const testersAnnotation = "modelswitch.dev/testers";

/** The annotation of the object that has the routes of testers. */
export function ofTesters({ testers, routing }: RouterInput): Readonly<Record<string, string>> {
  return testers === undefined || routing.testers === undefined
    ? {}
    : { [testersAnnotation]: routing.testers };
}

/** What the object with the routes of testers says of them. */
export function testersOf(object: ObservedObject | undefined): Pick<Routing, "testers"> {
  const noted = object?.metadata?.annotations?.[testersAnnotation];
  return isSlot(noted) ? { testers: noted } : {};
}

/** The Service that testers get; `undefined`: they get what everybody gets. */
export function testersService({ names, model, testers, routing }: RouterInput): string | undefined {
  if (testers === undefined || routing.testers === undefined) return undefined;
  return objectNames(names ?? model).service[routing.testers];
}

/**
 * Both slots with their Services and weights, always in the same order: some controllers count by it. Weights are whole numbers: out of a hundred, or
 * out of ten thousand where the shares are no whole per cent.
 */
export function weightsOf(input: RouterInput): readonly { slot: Slot; service: string; weight: number }[] {
  const split = splitOf(input.routing);
  const { service } = objectNames(input.names ?? input.model);
  // Both or none are whole per cent: together they are a hundred.
  return slots.map((slot) => ({ slot, service: service[slot], weight: partsOf(split[slot]).parts }));
}

/** What is known of a Service in a list of weights. */
export interface ObservedWeight {
  readonly name?: string | undefined;
  readonly weight?: number | undefined;
}

/**
 * The routing that weights say; `undefined` where they are not a model's. A Service that is left out has none. Weights that somebody else wrote need not
 * add up to 100: they are read as the nearest share, so that who has the traffic is known, and nothing bars the way back from there.
 * `finest`: the least that the router can say, per cent.
 */
export function routingOf(
  model: Named,
  object: ObservedObject | undefined,
  weights: readonly ObservedWeight[],
  finest: number = finestShare,
): Routing | undefined {
  const { service } = objectNames(model);
  const isKnown = weights.every(({ name }) => slots.some((slot) => service[slot] === name));
  const of = (slot: Slot) =>
    weights.filter(({ name }) => name === service[slot]).reduce((sum, { weight = 1 }) => sum + weight, 0);
  const [blue, green] = [of("blue"), of("green")];
  if (!isKnown || blue < 0 || green < 0 || blue + green === 0) return undefined;
  if (green === 0) return settledOn("blue");
  if (blue === 0) return settledOn("green");
  const share = sharedAsNear((100 * green) / (blue + green), finest);
  const noted = object?.metadata?.annotations?.[mainAnnotation];
  const main: Slot = isSlot(noted) ? noted : green > blue ? "green" : "blue";
  return { main, candidate: otherSlot(main), weight: main === "blue" ? share : toShare(100 - share) };
}

/** What weighted objects begin with; `weighted`: it is the one that changes when traffic moves. */
export function objectOf(
  input: RouterInput,
  kind: ObjectKind,
  name: string,
  about: { readonly isMain: boolean; readonly isWeighted: boolean },
): Pick<RoutingObject, "apiVersion" | "kind" | "metadata"> {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      name,
      ...(input.namespace === undefined ? {} : { namespace: input.namespace }),
      labels: { app: input.model, ...ownLabels(input.model) },
      annotations: {
        ...(about.isMain ? input.ingress.annotations : {}),
        ...(about.isWeighted ? { [mainAnnotation]: settled(input.routing).main } : {}),
      },
    },
  };
}

/**
 * Refuses what no router of weights can be told.
 * @throws UserError `annotation-owned`, `routing-invalid`
 */
export function refuseUnweighable(router: RouterName, { routing, ingress }: RouterInput): void {
  refuseInvalidRouting(routing);
  refuseOwnedAnnotations(router, ingress, {
    [mainAnnotation]: routing.main,
    [testersAnnotation]: routing.testers ?? "",
  });
}

/**
 * The one Secret that all TLS is ended with, where an object can name only one; `undefined`: no TLS.
 * @throws UserError `routing-unsupported`
 */
export function oneSecret(
  router: RouterName,
  { tls = [] }: Pick<IngressSpec, "tls">,
): { readonly secretName?: string } | undefined {
  const names = [...new Set(tls.map(({ secretName }) => secretName))];
  if (names.length > 1) {
    throw new UserError({
      code: "routing-unsupported",
      message: `The router "${router}" can name one Secret with a certificate, but ingress.tls names ${names.map((name) => name ?? "the controller's default").join(", ")}.`,
      hint: "Use one certificate for all hosts of the model.",
      exitCode: exitCodes.usage,
    });
  }
  const [secretName] = names;
  return tls.length === 0 ? undefined : secretName === undefined ? {} : { secretName };
}

/**
 * The host of an object that is for one.
 * @throws UserError `routing-unsupported` where there are several, or none
 */
export function oneHost(router: RouterName, object: string, ingress: IngressSpec): string {
  const hosts = [...new Set(placesOf(ingress).map(({ host }) => host))];
  const [host, ...others] = hosts;
  if (host !== undefined && host !== "" && others.length === 0) return host;
  throw unsupported(
    router,
    `${object} is for one host, and the configuration has ${hosts.map((one) => one || "every host").join(", ")}`,
    "Make a model for each host, or use another router.",
  );
}

/** How a controller that compares texts is told a path. */
export type TextMatch = { readonly exact: string } | { readonly prefix: string };

/** Such controllers compare texts, and Kubernetes the parts of a path: `/a` is not meant to be the beginning of `/ab`. */
export function textMatchesOf({ path, pathType }: Required<IngressPlace>): readonly TextMatch[] {
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

/** What several routes say together: all of the model's paths are shared alike, or somebody else has written there. */
export function alike([first, ...others]: readonly (Routing | undefined)[]): Routing | undefined {
  return others.every((one) => JSON.stringify(one) === JSON.stringify(first)) ? first : undefined;
}

/** What the router's objects cannot say, when it is planned. */
export function unsupported(router: RouterName, why: string, hint: string): UserError {
  return new UserError({
    code: "routing-unsupported",
    message: `The router "${router}" cannot say what the configuration does: ${why}.`,
    hint,
    exitCode: exitCodes.usage,
  });
}

/**
 * Paths that are claimed by texts that a path begins with, and texts that it is. Where the parts of a path are meant, a prefix stands there as
 * `/a` and as `/a/`, which say no more than the one.
 */
export function claimedPaths(
  beginnings: readonly string[],
  texts: readonly string[],
): { readonly path: string; readonly pathType: "Prefix" | "Exact" }[] {
  const prefixes = beginnings.map((path) => path.replace(/(.)\/$/, "$1"));
  return [
    ...prefixes.map((path) => ({ path, pathType: "Prefix" }) as const),
    ...texts.filter((path) => !prefixes.includes(path)).map((path) => ({ path, pathType: "Exact" }) as const),
  ];
}
