/** Regular expressions in the paths of an Ingress: read, and written out as paths that they match. Pure. */

/** As controllers compile a path: from the beginning, either case. Kong marks them with `/~`. `undefined`: it cannot be read here. */
export function compiled(path: string): RegExp | undefined {
  const pattern = path
    .replace(/^\/~/, "")
    .replace(/^\^/, "")
    .replace(/^\(\?i\)/, "");
  try {
    return new RegExp(`^${pattern}`, "i");
  } catch {
    return undefined;
  }
}

/** A part of a pattern: the texts that it may be; `undefined` among them: something that is not written out. */
interface Part {
  /** Number of the capturing group that it is. */
  readonly group: number | undefined;
  readonly texts: readonly (string | undefined)[];
}

const mostPaths = 64;

/** Paths that a pattern may match, with these contents of its groups; whoever uses one has to look whether it does. */
export function pathsLike(pattern: string, groups: ReadonlyMap<number, string>): string[] {
  const parts = partsOf(
    pattern
      .replace(/^\/~/, "")
      .replace(/^\^/, "")
      .replace(/^\(\?i\)/, ""),
  );
  if (parts === undefined) return [];
  let paths = [""];
  for (const { group, texts } of parts) {
    const given = group === undefined ? undefined : groups.get(group);
    const written = given === undefined ? texts.map((text) => text ?? "") : [given];
    paths = paths.flatMap((path) => written.map((text) => path + text)).slice(0, mostPaths);
  }
  return [...new Set(paths)];
}

/** `undefined`: brackets that do not close. */
function partsOf(pattern: string): Part[] | undefined {
  const parts: Part[] = [];
  let groups = 0;
  for (let at = 0; at < pattern.length; ) {
    const atom = atomAt(pattern, at);
    if (atom === undefined) return undefined;
    const quantifier = /^(?:[*+?]|\{\d*,?\d*\})[?+]?/.exec(pattern.slice(at + atom.length))?.[0] ?? "";
    const isCapturing = atom.startsWith("(") && !/^\(\?(?!<[^=!])/.test(atom);
    parts.push({ group: isCapturing ? groups + 1 : undefined, texts: quantified(textsOf(atom), quantifier) });
    groups += capturesIn(atom);
    at += atom.length + quantifier.length;
  }
  return parts;
}

/** One character, escape, class or bracket. */
function atomAt(pattern: string, at: number): string | undefined {
  const first = pattern[at] ?? "";
  if (first === "\\") return pattern.slice(at, at + 2);
  if (first === "[") return /^\[\^?\]?(?:\\.|[^\]\\])*\]/.exec(pattern.slice(at))?.[0];
  if (first !== "(") return first;
  let depth = 0;
  for (let end = at; end < pattern.length; end++) {
    if (pattern[end] === "\\") end += 1;
    else if (pattern[end] === "(") depth += 1;
    else if (pattern[end] === ")") depth -= 1;
    if (depth === 0) return pattern.slice(at, end + 1);
  }
  return undefined;
}

function textsOf(atom: string): readonly (string | undefined)[] {
  if (atom.startsWith("(")) {
    if (/^\(\?(?:[=!]|<[=!])/.test(atom)) return [""];
    const inside = alternativesOf(atom.slice(1, -1).replace(/^\?(?::|<\w+>)/, ""));
    return inside.flatMap((one) => literal(one) ?? pathsLike(one, new Map()));
  }
  return [literal(atom)];
}

/** The text of a pattern that is nothing else; `undefined`: it is more. */
function literal(pattern: string): string | undefined {
  const plain = pattern.replace(/\$$/, "");
  if (/^(?:\\[^\w\s]|[^\\[\](){}.*+?|^$])*$/.test(plain)) return plain.replace(/\\(.)/g, "$1");
  return undefined;
}

function alternativesOf(pattern: string): string[] {
  const found = [""];
  let depth = 0;
  for (const token of pattern.match(/\\.|[^\\]/gs) ?? []) {
    if (token === "(" || token === "[") depth += 1;
    if (token === ")" || token === "]") depth -= 1;
    if (token === "|" && depth === 0) found.push("");
    else found.push((found.pop() ?? "") + token);
  }
  return found;
}

function quantified(
  texts: readonly (string | undefined)[],
  quantifier: string,
): readonly (string | undefined)[] {
  return /^(?:[*?]|\{0?,)/.test(quantifier) ? [...texts, ""] : texts;
}

function capturesIn(atom: string): number {
  return [...atom.matchAll(/\\.|\((?!\?(?!<[^=!]))/gs)].filter(([token]) => token === "(").length;
}
