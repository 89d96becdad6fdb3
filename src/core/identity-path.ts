import { exitCodes, UserError } from "./errors.ts";
import type { IdentityProbe } from "./identity.ts";
import { type IngressPath, takes } from "./ingress-path.ts";
import { askedThrough, type Rewriting, rewritingOf } from "./ingress-rewrite.ts";
import { type IngressPlace, type IngressSpec, placesOf, speaksGrpc } from "./model.ts";
import { compiled } from "./path-pattern.ts";

type Place = Required<IngressPlace>;
type Asked = Pick<IdentityProbe, "path" | "ingressPath">;

/** What is asked for at one host to see which slot answers. */
export interface IdentityPlace {
  readonly host: string;
  readonly path: string;
  /** Whether it is a method over gRPC. */
  readonly grpc: boolean;
}

/**
 * Where the identity is asked for through the ingress: once for each host that leads to the model, with a path that the Ingress takes and
 * from which the model server gets the identity's.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function identityPlaces(ingress: IngressSpec, identity: IdentityProbe): readonly IdentityPlace[] {
  const grpc = speaksGrpc(ingress.protocol) ? identity.grpc : undefined;
  const asked = grpc === undefined ? identity : { path: `/${grpc.method}` };
  const places = placesOf(ingress);
  const rewriting = rewritingOf(ingress.annotations);
  return [...new Set(places.map(({ host }) => host))].map((host) => ({
    host,
    path: identityPath(
      places.filter((place) => place.host === host),
      asked,
      rewriting,
    ),
    grpc: grpc !== undefined,
  }));
}

/**
 * The path of an identity as clients ask for it at one host: the one that is said, else what the Ingress's own rewriting makes it.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function identityPath(places: readonly Place[], asked: Asked, rewriting: Rewriting): string {
  const { path, ingressPath } = asked;
  if (ingressPath !== undefined) {
    if (places.some((place) => takes(place, ingressPath, rewriting.patterns))) return ingressPath;
    throw outside(
      `identity.ingressPath is ${ingressPath}, but the Ingress only sends ${shown(places)} to the model.`,
      "Correct it: it is the path that clients would ask for.",
    );
  }
  for (const place of places) {
    const found = askedThrough(place, path, rewriting);
    if (found !== undefined) return found;
  }
  throw outside(
    `The identity is read from ${path} of the model server, but ${why(places, rewriting)}.`,
    remedy(places[0] ?? { path: "/", pathType: "Prefix" }, asked, rewriting),
  );
}

/** Whether requests of clients for that path get to the model, at the Ingress's main host. */
export function leadsToModel(ingress: IngressSpec, path: string): boolean {
  const { patterns } = rewritingOf(ingress.annotations);
  return placesOf(ingress).some((place) => place.host === ingress.host && takes(place, path, patterns));
}

/** Paths with characters of regular expressions under a type that takes them for plain text. */
export function patternsAsText(ingress: IngressSpec): readonly IngressPath[] {
  return placesOf(ingress).filter(
    ({ path, pathType }) => pathType !== "ImplementationSpecific" && /[()|[\]{}*?^$\\]/.test(path),
  );
}

function outside(message: string, hint: string): UserError {
  return new UserError({ code: "identity-path-outside", message, hint, exitCode: exitCodes.usage });
}

function why(places: readonly Place[], rewriting: Rewriting): string {
  const only = `the Ingress only sends ${shown(places)} to the model`;
  switch (rewriting.kind) {
    case "none":
      return only;
    case "hidden":
      return `${only}, and what ${rewriting.annotation} makes of it is not written there`;
    case "prefix":
      return `${only}, and ${rewriting.annotation} replaces that by "${rewriting.by}": no request gets there`;
    case "target":
      return /\$\{?\d/.test(rewriting.target)
        ? `${only} as ${rewriting.target} (rewrite-target), and it is not known which request gets there`
        : `the Ingress sends every request to ${rewriting.target} (rewrite-target)`;
  }
}

function shown(places: readonly Place[]): string {
  const paths = places.map(({ path, pathType }) => {
    if (pathType === "ImplementationSpecific") return `what matches ${path}`;
    return pathType === "Exact" ? `the path ${path}` : `paths under ${path}`;
  });
  return `${paths.join(" and ")} of ${places[0]?.host}`;
}

function remedy(place: IngressPath, { path }: Asked, rewriting: Rewriting): string {
  // A method that is called over gRPC has no path of its own.
  if (/^\/[\w.]+\/\w+$/.test(path) && path.includes(".")) {
    return `Clients of gRPC cannot ask under another path: set ingress.path to "/" or to "${path.replace(/\/\w+$/, "")}".`;
  }
  const folder = beginning(place.path).replace(/\/+$/, "");
  const said = `identity: { path: "${path}", ingressPath: "${folder}${path}", … }`;
  const pattern = `path: "${folder}(/|$)(.*)", pathType: "ImplementationSpecific", annotations: { "nginx.ingress.kubernetes.io/rewrite-target": "/$2" }`;
  switch (rewriting.kind) {
    case "none":
      return `Without a rewrite the model server sees the path that clients send. Choose an identity path under that of the Ingress, or a wider ingress.path; or rewrite (${pattern}). Where something else rewrites, say what clients ask for: ${said}.`;
    case "hidden":
    case "prefix":
      return `Say what clients ask for to get there: ${said}.`;
    case "target":
      return /\$\{?\d/.test(rewriting.target)
        ? `Say what clients ask for to get there: ${said}.`
        : `Keep the rest of the path, as clients need it, too: ${pattern}.`;
  }
}

/** The plain text with which a pattern begins, as far as it is an address that the pattern takes, or a folder of such. */
export function beginning(path: string): string {
  const plain = /^(?:[^([{*+?^$|\\.]|\.(?![*+?{]))*/.exec(path)?.[0] ?? "";
  if (plain === path || compiled(path)?.test(plain) === true) return plain || "/";
  return plain.slice(0, plain.lastIndexOf("/") + 1) || "/";
}
