import { exitCodes, UserError } from "../../core/errors.ts";
import type { IngressLike } from "../../core/ingress-claims.ts";
import { type IngressSpec, placesOf } from "../../core/model.ts";
import { type ObjectNames, objectNames } from "../../core/names.ts";
import { isObject, type ObjectKind } from "../../core/object-kind.ts";
import { type OwnRouterName, ownRouterPrefix } from "../../core/router-names.ts";
import { wholeShare } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import { weighted } from "./capabilities.ts";
import type { ControllerCounters } from "./counters/counted.ts";
import { registerRouter } from "./factory.ts";
import type { ObservedObject, Router, RouterCapabilities, RouterInput } from "./router.ts";
import { objectOf, ofWeights, refuseUnweighable, routingOf, weightsOf } from "./weighted.ts";

/** What a user's own router is told. */
export interface OwnRouterInput {
  /** Name of the model, and of the main object. */
  readonly name: string;
  readonly ingress: IngressSpec;
  /** Hosts and paths that clients use: `ingress.host`, `ingress.path`, and `ingress.also`. */
  readonly places: readonly {
    readonly host: string;
    readonly path: string;
    readonly pathType: "Prefix" | "Exact" | "ImplementationSpecific";
  }[];
  /** Names of the slots' Services. */
  readonly services: Readonly<Record<Slot, string>>;
  /** Port of those Services. */
  readonly servicePort: number;
  /** A request that has this header with the value `blue` or `green` goes to that slot, where `preview` is true. */
  readonly previewHeader: string;
}

/** As `OwnRouterInput`, for the one object that says where the traffic goes. */
export interface OwnRouteInput extends OwnRouterInput {
  /** Share of the requests per slot in per cent; the sum is 100. */
  readonly shares: Readonly<Record<Slot, number>>;
}

/** What a user says of an ingress controller that modelswitch does not know. All functions are pure: they are called often. */
export interface OwnRouter {
  /** Lower-case letters, digits and -, at most 40. It stands in records: a router of another name is another router. */
  readonly name: string;
  /** The object that says where the traffic goes. It has the model's name; each change of the traffic is one write of it. */
  readonly route: ObjectKind & {
    readonly spec: (input: OwnRouteInput) => object;
    /** The Services that a `spec` sends clients' requests to, with their weights; those of preview rules left out. */
    readonly weights: (
      spec: unknown,
    ) => readonly { readonly name?: string | undefined; readonly weight?: number | undefined }[];
    /** The hosts and paths that a `spec` of this kind has, also one that somebody else wrote. @default none are seen: nobody is found to have the model's place */
    readonly claims?: (
      spec: unknown,
    ) => readonly { readonly host?: string; readonly path: string; readonly pathType?: "Prefix" | "Exact" }[];
    /** IPs or host names where clients connect, by an object's status. @default `ingress.endpoints` has to say it */
    readonly addresses?: (status: unknown) => readonly string[];
  };
  /** Objects that the route needs and that no change of the traffic changes. @default none */
  readonly beside?: readonly (ObjectKind & {
    /** Its name is the model's, with - and this: lower-case letters, digits and -, at most 10, and another one for each object of a kind. */
    readonly suffix: string;
    readonly spec: (input: OwnRouterInput) => object;
  })[];
  /** Whether the route sends what has the preview header to the slot that the header names. @default false */
  readonly preview?: boolean;
  /** Whether the controller splits by per cent; else all traffic is on one slot, and a switch is one step. @default true */
  readonly weights?: boolean;
  /** Options of `ingress` that `spec` obeys; the others are refused when it is planned. @default none */
  readonly obeys?: readonly ("timeout" | "maxBodySize" | "protocol")[];
  /** What to look at where the ingress does not show what is declared. */
  readonly advice?: string;
  /** What the controller counts of each slot. @default nothing is known of that */
  readonly counters?: readonly ControllerCounters[];
}

/**
 * Makes a router of what the user says of an ingress controller, for this process, and returns the name to give as `router`.
 * @throws UserError `router-invalid`
 */
export function defineRouter(own: OwnRouter): OwnRouterName {
  refuseIncomplete(own);
  const router = routerOf(own);
  registerRouter(router);
  return router.name;
}

function routerOf(own: OwnRouter): Router & { readonly name: OwnRouterName } {
  const { route, beside = [], preview = false } = own;
  const name: OwnRouterName = `${ownRouterPrefix}${own.name}`;
  const [kind, ...others] = [route, ...beside].map(({ group, version, kind, plural }) => ({
    group,
    version,
    kind,
    plural,
  })) as [ObjectKind, ...ObjectKind[]];
  const kinds: readonly [ObjectKind, ...ObjectKind[]] = [
    kind,
    ...others.filter((one, index) => [kind, ...others.slice(0, index)].every((two) => !isSameKind(one, two))),
  ];
  const refs: Router["refs"] = (model) => {
    const main = objectNames(model).ingress;
    return [
      { kind, name: main },
      ...beside.map(({ suffix }, index) => ({ kind: others[index] ?? kind, name: `${main}-${suffix}` })),
    ];
  };
  const find = (model: Parameters<Router["refs"]>[0], objects: readonly ObservedObject[]) => {
    const [ref] = refs(model);
    return objects.find((one) => isObject(one, ref));
  };
  return {
    name,
    ...ofWeights,
    ...(preview ? {} : { force: () => undefined }),
    capabilities: capabilitiesOf(own),
    ...(own.counters === undefined ? {} : { counters: own.counters }),
    kinds,
    rights: kinds.map((one) => ({
      kind: one,
      names: (names: ObjectNames) =>
        refs(names).flatMap((ref) => (isSameKind(ref.kind, one) ? ref.name : [])),
      awaited: false,
    })),
    reads: [],
    publishesAddress: route.addresses !== undefined,
    advice: own.advice ?? `Look at the ${kind.kind} and at what its controller says of it.`,
    refs,

    objects(input) {
      refuseUnweighable(name, input);
      const about = inputOf(input);
      const shares = Object.fromEntries(weightsOf(input).map(({ slot, weight }) => [slot, weight]));
      return refs(input.names ?? input.model).map((ref, index) => {
        const isMain = index === 0;
        const made = isMain
          ? route.spec({ ...about, shares: { blue: 0, green: 0, ...shares } })
          : beside[index - 1]?.spec(about);
        if (typeof made !== "object" || made === null) {
          throw invalid(
            own.name,
            `spec of the ${ref.kind.kind} ${ref.name} returned ${String(made)}, and no object`,
          );
        }
        return { ...objectOf(input, ref.kind, ref.name, { isMain, isWeighted: isMain }), spec: made };
      });
    },

    read(model, objects) {
      const object = find(model, objects);
      if (object?.spec === undefined) return undefined;
      const weights = unless(() => route.weights(object.spec));
      return weights === undefined ? undefined : routingOf(model, object, weights, wholeShare);
    },

    classOf: ({ className = "" }) => className,
    claim: (object) => claimOf(kind, object, unless(() => route.claims?.(object.spec)) ?? []),
    front: (main) => ({
      name: main.metadata?.name ?? "",
      className: undefined,
      tlsHosts: [],
      addresses: unless(() => route.addresses?.(main.status)) ?? [],
    }),
  };
}

/**
 * What a user's function says of an object that may be anybody's, or have no status yet: where it stumbles, nothing is seen. A way back does not end
 * there.
 */
function unless<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function isSameKind(a: ObjectKind, b: ObjectKind): boolean {
  return a.group === b.group && a.kind === b.kind;
}

function capabilitiesOf({ preview = false, weights = true, obeys = [] }: OwnRouter): RouterCapabilities {
  return {
    ...weighted,
    weights,
    header: preview,
    reloadOnSwitch: undefined,
    timeout: obeys.includes("timeout"),
    bodySize: obeys.includes("maxBodySize"),
    backendProtocol: obeys.includes("protocol"),
  };
}

function inputOf({ model, names, ingress, previewHeader, servicePort }: RouterInput): OwnRouterInput {
  const { service, ingress: name } = objectNames(names ?? model);
  return { name, ingress, places: placesOf(ingress), services: service, servicePort, previewHeader };
}

function claimOf(
  { kind }: ObjectKind,
  { metadata }: ObservedObject,
  claims: ReturnType<NonNullable<OwnRouter["route"]["claims"]>>,
): IngressLike {
  return {
    kind,
    ...(metadata === undefined ? {} : { metadata }),
    spec: {
      rules: claims.map(({ host, path, pathType = "Prefix" }) => ({
        ...(host === undefined ? {} : { host }),
        http: { paths: [{ path, pathType }] },
      })),
    },
  };
}

/** The file is the user's, and may be JavaScript. */
function refuseIncomplete(own: OwnRouter): void {
  const name: unknown = own?.name;
  if (typeof name !== "string" || !/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
    throw invalid(
      String(name),
      "name must be lower-case letters, digits and -, at most 40 characters, first a letter",
    );
  }
  const route: unknown = own.route;
  if (!isRecord(route)) throw invalid(name, "route is missing");
  const kinds: readonly (readonly [string, unknown])[] = [
    ["route", route],
    ...(own.beside ?? []).map((one, index) => [`beside[${index}]`, one] as const),
  ];
  for (const [place, one] of kinds) {
    if (!isRecord(one)) throw invalid(name, `${place} must be an object`);
    for (const key of ["version", "kind", "plural", ...(one === route ? [] : ["suffix"])]) {
      if (typeof one[key] !== "string" || one[key] === "")
        throw invalid(name, `${place}.${key} must be a text`);
    }
    if (typeof one.group !== "string")
      throw invalid(name, `${place}.group must be a text; "" is the core group`);
    if (typeof one.spec !== "function")
      throw invalid(name, `${place}.spec must be a function that returns the object's spec`);
  }
  refuseSuffixes(name, own.beside ?? [], own.route);
  if (typeof route.weights !== "function") {
    throw invalid(
      name,
      "route.weights must be a function that returns the Services of a spec with their weights",
    );
  }
}

/** What the model's own objects are called may be nobody else's. */
const ownSuffixes: Readonly<Record<string, readonly string[]>> = {
  Service: ["blue", "green"],
  Deployment: ["blue", "green"],
  PodDisruptionBudget: ["blue", "green"],
  HorizontalPodAutoscaler: ["blue", "green"],
  ConfigMap: ["modelswitch"],
  Lease: ["modelswitch"],
  Secret: ["modelswitch"],
};

function refuseSuffixes(name: string, beside: NonNullable<OwnRouter["beside"]>, route: ObjectKind): void {
  for (const [index, { kind, suffix }] of beside.entries()) {
    const place = `beside[${index}].suffix`;
    if (!/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/.test(suffix)) {
      throw invalid(
        name,
        `${place} "${suffix}" must be lower-case letters, digits and -, at most 10 characters: a name has 63, and a model's may have 52`,
      );
    }
    if (ownSuffixes[kind]?.includes(suffix) === true) {
      throw invalid(name, `${place} "${suffix}" would make it the ${kind} that the model has itself`);
    }
    const same = beside.findIndex(
      (other) => other.suffix === suffix && isSameKind(other, beside[index] ?? route),
    );
    if (same !== index) throw invalid(name, `${place} "${suffix}" names the same ${kind} as beside[${same}]`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function invalid(name: string, why: string): UserError {
  return new UserError({
    code: "router-invalid",
    message: `The router "${name}" of defineRouter() is not valid: ${why}.`,
    hint: "docs/routers/own.md has a complete one; `modelswitch router test` tries it.",
    exitCode: exitCodes.usage,
  });
}
