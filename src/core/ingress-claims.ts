import { defaults } from "./defaults.ts";
import { type IngressPlace, type IngressSpec, placesOf } from "./model.ts";

/** An Ingress as the API server lists it: everything may be missing. */
export interface IngressLike {
  /** Of what is no Ingress, but takes hosts as well. */
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: unknown;
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: {
        readonly paths?: readonly { readonly path?: string; readonly pathType?: string }[];
      };
    }[];
  };
}

export interface ClaimedPath {
  readonly path: string;
  readonly pathType: string;
}

/** What a model's own Ingress asks for on one host. */
export interface WantedRoute {
  readonly host: string;
  readonly paths: readonly ClaimedPath[];
  readonly className: string;
  /** The model's own Ingresses, which are no claims of others. */
  readonly own: { readonly namespace: string; readonly names: readonly string[] };
}

/**
 * `same`: nothing but the controller decides which of the two gets the requests. `wider`: the wanted route takes requests that the
 * other gets now. `narrower`: the other takes some of the requests that the wanted route is for.
 */
export type ClaimRelation = "same" | "wider" | "narrower";

/** What another Ingress has of a wanted route. */
export interface Claim {
  /** @default Ingress */
  readonly kind?: string;
  readonly namespace: string;
  readonly name: string;
  readonly relation: ClaimRelation;
  /** As the other Ingress says it; empty: every host. */
  readonly host: string;
  readonly path: string;
  readonly pathType: string;
  /** What of the wanted route it is about. */
  readonly wanted: ClaimedPath & { readonly host: string };
  /** The class that the other names; `undefined`: none, so whichever controller serves those. */
  readonly className: string | undefined;
  /** The model that the other Ingress belongs to, where it is one of modelswitch. */
  readonly model: string | undefined;
}

/**
 * What other Ingresses have of a host and its paths, the same ones first. Left out: the model's own, those of other classes, those that
 * are being deleted, canary Ingresses (they only add to somebody's route) and default backends (they get what nobody asks for). Pure.
 */
export function claimsOf(objects: readonly IngressLike[], wanted: WantedRoute): Claim[] {
  const found = objects.flatMap((object) => (isOther(object, wanted) ? claimsOfOne(object, wanted) : []));
  const order: readonly ClaimRelation[] = ["same", "narrower", "wider"];
  return found.toSorted((a, b) => order.indexOf(a.relation) - order.indexOf(b.relation));
}

/** The same for all hosts and paths of a model's Ingress. Pure. */
export function claimsOnModel(
  objects: readonly IngressLike[],
  ingress: IngressSpec,
  own: WantedRoute["own"],
  className: string = ingress.className ?? defaults.ingress.className,
): Claim[] {
  const places = placesOf(ingress);
  const hosts = [...new Set(places.map(({ host }) => host))];
  return hosts.flatMap((host) =>
    claimsOf(objects, {
      host,
      paths: places.filter((place: IngressPlace) => place.host === host),
      className,
      own,
    }),
  );
}

/** `the Ingress shop/fraud (of the model "fraud") has ml.example.com/ (Prefix)`. */
export function describeClaim({
  kind = "Ingress",
  namespace,
  name,
  model,
  host,
  path,
  pathType,
}: Claim): string {
  const whose = model === undefined ? "" : ` (of the model "${model}")`;
  const where = host === "" ? `${path} of every host` : `${host}${path}`;
  return `the ${kind} ${namespace}/${name}${whose} has ${where} (${pathType})`;
}

/** Both are read as ingress-nginx reads them, whatever the prefix of its annotations. */
const canaryAnnotation = /^[^/]*nginx[^/]*\/canary$/;
const aliasAnnotation = /^[^/]*nginx[^/]*\/server-alias$/;
const classAnnotation = "kubernetes.io/ingress.class";
const isTrue = /^(1|t|true)$/i;

function isOther({ metadata, spec }: IngressLike, { className, own }: WantedRoute): boolean {
  const annotations = metadata?.annotations ?? {};
  const isOwn = (metadata?.namespace ?? "") === own.namespace && own.names.includes(metadata?.name ?? "");
  const isCanary = Object.entries(annotations).some(
    ([key, value]) => canaryAnnotation.test(key) && isTrue.test(value),
  );
  const classes = [spec?.ingressClassName, annotations[classAnnotation]].filter(Boolean);
  return (
    !isOwn &&
    !isCanary &&
    metadata?.deletionTimestamp === undefined &&
    // An Ingress without a class is served by whichever controller takes those: it may be this one.
    (classes.length === 0 || classes.includes(className))
  );
}

function claimsOfOne({ kind, metadata, spec }: IngressLike, wanted: WantedRoute): Claim[] {
  const annotations = metadata?.annotations ?? {};
  const labels = metadata?.labels ?? {};
  const isModel = labels["app.kubernetes.io/managed-by"] === "modelswitch";
  const base = {
    ...(kind === undefined || kind === "Ingress" ? {} : { kind }),
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    className: spec?.ingressClassName ?? annotations[classAnnotation],
    model: isModel ? labels["app.kubernetes.io/instance"] : undefined,
  };
  const claims: Claim[] = [];
  for (const { host, path, pathType, isAlias } of routesOf(spec, annotations)) {
    const hosts = hostRelation(host, wanted.host);
    if (hosts === undefined) continue;
    for (const one of wanted.paths) {
      const paths = pathRelation({ path, pathType }, one);
      if (paths === undefined) continue;
      // The more specific host wins before any path is looked at; a host of its own wins over an alias.
      const relation = hosts !== "same" ? hosts : isAlias ? "wider" : paths;
      const about = { host: wanted.host, path: one.path, pathType: one.pathType };
      claims.push({ ...base, host, path, pathType, relation, wanted: about });
    }
  }
  return claims;
}

interface Route extends ClaimedPath {
  readonly host: string;
  readonly isAlias: boolean;
}

function routesOf(spec: IngressLike["spec"], annotations: Readonly<Record<string, string>>): Route[] {
  const aliases = Object.entries(annotations)
    .filter(([key]) => aliasAnnotation.test(key))
    .flatMap(([, value]) => value.split(","))
    .map((alias) => alias.trim())
    .filter(Boolean);
  return (spec?.rules ?? []).flatMap(({ host = "", http }) => {
    const paths = http?.paths ?? [];
    // A rule that names a host alone sends all of it to the default backend.
    const whole = host !== "" && spec?.defaultBackend !== undefined ? [{}] : [];
    return [host, ...aliases].flatMap((name, index) =>
      (paths.length > 0 ? paths : whole).map(
        ({ path, pathType }: { readonly path?: string; readonly pathType?: string }) => ({
          host: name,
          path: path === undefined || path === "" ? "/" : path,
          pathType: pathType ?? "Prefix",
          isAlias: index > 0,
        }),
      ),
    );
  });
}

/** How another's host is to the wanted one; `undefined`: no request is for both. */
function hostRelation(theirs: string, ours: string): ClaimRelation | undefined {
  const [their, our] = [theirs.toLowerCase(), ours.toLowerCase()];
  if (their === our) return "same";
  if (their === "" || covers(their, our)) return "wider";
  if (our === "" || covers(our, their)) return "narrower";
  return undefined;
}

/** A wildcard stands for exactly one label. */
function covers(wildcard: string, host: string): boolean {
  return wildcard.startsWith("*.") && !host.startsWith("*.") && host.replace(/^[^.]+/, "*") === wildcard;
}

/** How another's path is to the wanted one on the same host; `undefined`: no request is for both. */
function pathRelation(theirs: ClaimedPath, ours: ClaimedPath): ClaimRelation | undefined {
  const [their, our] = [pathShape(theirs), pathShape(ours)];
  if (their.stem === our.stem) {
    if (their.kind === our.kind || their.kind === "any" || our.kind === "any") return "same";
    return their.kind === "exact" ? "narrower" : "wider";
  }
  if (their.kind !== "exact" && our.stem.startsWith(`${their.stem}/`)) return "wider";
  if (our.kind !== "exact" && their.stem.startsWith(`${our.stem}/`)) return "narrower";
  return undefined;
}

/** Ends of regular expressions by which people say "and everything below". */
const everythingBelow = /(\(\/\|\$\)\(\.\*\)|\/?\(?\.\*\)?|\(\/\.\*\)\??|\/\?\(\.\*\))\$?$/;

/** `any`: only the controller knows whether it is an exact path or a prefix. */
function pathShape({ path, pathType }: ClaimedPath): { stem: string; kind: "exact" | "prefix" | "any" } {
  const trimmed = (text: string) => text.replace(/\/+$/, "");
  if (pathType === "Exact") return { stem: path, kind: "exact" };
  if (pathType === "Prefix") return { stem: trimmed(path), kind: "prefix" };
  const isBelow = everythingBelow.test(path);
  const stem = trimmed(path.replace(/^\^/, "").replace(everythingBelow, ""));
  return { stem, kind: isBelow ? "prefix" : "any" };
}
