import { escaped, type IngressPath, takes } from "./ingress-path.ts";
import { compiled, pathsLike } from "./path-pattern.ts";

/** What an ingress controller makes of the path that clients ask for, before the model server sees it. */
export type Rewriting =
  | { readonly kind: "none"; readonly patterns: boolean }
  /** The whole path is replaced; `$1`, `$2` stand for what the groups of the Ingress's path have matched. */
  | { readonly kind: "target"; readonly patterns: true; readonly target: string; readonly annotation: string }
  /** What the Ingress's path has matched is replaced. */
  | { readonly kind: "prefix"; readonly patterns: false; readonly by: string; readonly annotation: string }
  /** Something that is written elsewhere, or in a language of its own. */
  | { readonly kind: "hidden"; readonly patterns: boolean; readonly annotation: string };

type Annotations = Readonly<Record<string, string>>;

const nginx = "nginx.ingress.kubernetes.io";
const prefixReplacing = [
  "appgw.ingress.kubernetes.io/backend-path-prefix",
  "haproxy-ingress.github.io/rewrite-target",
  "ingress.kubernetes.io/rewrite-target",
];
/** They may rewrite a path, and where they do it is not said in the Ingress. */
const hiding = [
  "traefik.ingress.kubernetes.io/router.middlewares",
  "haproxy.org/path-rewrite",
  "nginx.org/rewrites",
  "nginx.org/rewrite-target",
  "konghq.com/plugins",
  "projectcontour.io/rewrite",
  `${nginx}/configuration-snippet`,
  `${nginx}/server-snippet`,
];

/** What the annotations of an Ingress say of it. Pure. */
export function rewritingOf(annotations: Annotations = {}): Rewriting {
  const target = annotations[`${nginx}/rewrite-target`]?.trim() ?? "";
  if (target !== "") {
    return { kind: "target", patterns: true, target, annotation: `${nginx}/rewrite-target` };
  }
  const patterns = annotations[`${nginx}/use-regex`] === "true";
  if (annotations["konghq.com/strip-path"] === "true") {
    return { kind: "prefix", patterns: false, by: "", annotation: "konghq.com/strip-path" };
  }
  for (const annotation of prefixReplacing) {
    const by = annotations[annotation];
    if (by !== undefined) return { kind: "prefix", patterns: false, by, annotation };
  }
  const annotation = hiding.find((name) => annotations[name] !== undefined);
  return annotation === undefined ? { kind: "none", patterns } : { kind: "hidden", patterns, annotation };
}

/** What clients ask through a path of the Ingress to reach `wanted` at the model server; `undefined`: nothing that can be worked out. */
export function askedThrough(place: IngressPath, wanted: string, rewriting: Rewriting): string | undefined {
  const { pathname, query } = split(wanted);
  switch (rewriting.kind) {
    case "none":
    case "hidden":
      return takes(place, wanted, rewriting.patterns) ? wanted : undefined;
    case "prefix": {
      const by = rewriting.by.replace(/\/+$/, "");
      if (!pathname.startsWith(`${by}/`)) return undefined;
      const asked = place.path.replace(/[/*]+$/, "") + pathname.slice(by.length);
      return takes(place, asked) ? asked + query : undefined;
    }
    case "target": {
      const found = candidates(place.path, pathname, rewriting.target).find(
        (asked) => rewritten(place.path, asked, rewriting.target) === pathname,
      );
      return found === undefined ? undefined : found + query;
    }
  }
}

function split(path: string): { readonly pathname: string; readonly query: string } {
  const at = path.indexOf("?");
  return at < 0 ? { pathname: path, query: "" } : { pathname: path.slice(0, at), query: path.slice(at) };
}

const reference = /\$\{?(\d+)\}?/g;

/** Paths that may become `wanted`: the target is solved for its groups, and the pattern written out with them. */
function candidates(pattern: string, wanted: string, target: string): string[] {
  const names = [...target.matchAll(reference)].map(([, name]) => Number(name));
  const texts = target.split(/\$\{?\d+\}?/).map(escaped);
  return ["(.*)", "(.*?)", "([^/]*)"].flatMap((part) => {
    const solved = new RegExp(`^${texts.join(part)}$`).exec(wanted);
    if (solved === null) return [];
    const groups = new Map(names.map((name, index) => [name, solved[index + 1] ?? ""]));
    return pathsLike(pattern, groups);
  });
}

/** What the controller makes of a path; `undefined`: it does not take it. */
function rewritten(pattern: string, asked: string, target: string): string | undefined {
  const found = asked.startsWith("/") ? compiled(pattern)?.exec(asked) : undefined;
  if (found === undefined || found === null) return undefined;
  return target.replace(reference, (_, group: string) => found[Number(group)] ?? "");
}
