import { compiled } from "./path-pattern.ts";

/** One path of an Ingress. */
export interface IngressPath {
  readonly path: string;
  readonly pathType: string;
}

/**
 * Whether a path of an Ingress takes what is asked for; a query is passed over. `Prefix` and `Exact` are compared as Kubernetes says;
 * what the controller decides (`ImplementationSpecific`, or `patterns`: it reads all paths as regular expressions) is taken where any
 * usual reading does: a beginning, a regular expression, or `*` for anything. Pure.
 */
export function takes({ path, pathType }: IngressPath, asked: string, patterns = false): boolean {
  const pathname = asked.split("?")[0] ?? asked;
  if (pathType === "ImplementationSpecific") return takesSomehow(path, pathname);
  if (patterns && matches(path, pathname)) return true;
  if (pathType === "Exact") return pathname === path;
  const folder = path.replace(/\/+$/, "");
  return pathname === folder || pathname.startsWith(`${folder}/`);
}

function takesSomehow(path: string, pathname: string): boolean {
  if (pathname.startsWith(path)) return true;
  const glob = path.split("*").map(escaped).join(".*");
  if (path.includes("*") && new RegExp(`^${glob}$`, "s").test(pathname)) return true;
  return matches(path, pathname);
}

/** A pattern that cannot be read here may mean something to the controller. */
function matches(path: string, pathname: string): boolean {
  return compiled(path)?.test(pathname) ?? true;
}

export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
