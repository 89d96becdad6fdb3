import { nearest } from "../../core/nearest.ts";
import type { Path } from "./merge.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** What came of a text with `${env:NAME}` in it. */
export interface Interpolated {
  readonly text: string;
  /** Variables whose values are in it. */
  readonly variables: readonly string[];
  /** What is wrong, to be read after the path. */
  readonly problems: readonly string[];
}

/** `$$` before it: the text itself is meant. */
const pattern = /\$?\$\{([A-Za-z]+):([^{}]*)\}/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Replaces `${env:NAME}` and `${env:NAME:-default}` by environment variables; `$${env:NAME}` is the text `${env:NAME}`.
 * As in a shell, `:-` gives the default for a variable that is empty, too. Pure.
 */
export function interpolate(text: string, env: Env): Interpolated {
  const variables: string[] = [];
  const problems: string[] = [];
  const replaced = text.replace(pattern, (whole: string, source: string, rest: string) => {
    if (source !== "env") {
      // Other programs have such expressions, too: only a slip of the keyboard is a mistake.
      if (nearest(source, ["env"]) === "env" && !whole.startsWith("$$"))
        problems.push(`"${source}" in ${whole} is no source of values; did you mean "\${env:${rest}}"?`);
      return whole;
    }
    if (whole.startsWith("$$")) return whole.slice(1);
    const at = rest.indexOf(":-");
    const name = at === -1 ? rest : rest.slice(0, at);
    const fallback = at === -1 ? undefined : rest.slice(at + 2);
    if (!variableName.test(name)) {
      problems.push(`${whole} names no environment variable; write \${env:NAME} or \${env:NAME:-default}`);
      return whole;
    }
    const value = env[name];
    if (value !== undefined && (value !== "" || fallback === undefined)) {
      variables.push(name);
      return value;
    }
    if (fallback !== undefined) return fallback;
    problems.push(unset(name, env));
    return whole;
  });
  return { text: replaced, variables, problems };
}

function unset(name: string, env: Env): string {
  const set = Object.keys(env).filter((key) => env[key] !== undefined);
  // Short names are close to anything.
  const close = name.length < 4 ? undefined : nearest(name, set);
  const meant = close === undefined ? "" : `; did you mean ${close}, which is set?`;
  return `needs the environment variable ${name}, which is not set; set it, or write \${env:${name}:-default}${meant}`;
}

/** Whether a text has anything to replace. */
export function hasExpressions(text: string): boolean {
  return new RegExp(pattern.source).test(text);
}

/** Every text in a value, with its path. */
export function textsIn(value: unknown, path: Path = []): { readonly path: Path; readonly text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((entry, index) => textsIn(entry, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) => textsIn(entry, [...path, key]));
}

/** The value with another one at a path; the rest is shared. */
export function withValueAt(value: unknown, path: Path, next: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  if (Array.isArray(value)) {
    return value.map((entry: unknown, index) => (index === key ? withValueAt(entry, rest, next) : entry));
  }
  const record = (value ?? {}) as Readonly<Record<string, unknown>>;
  return { ...record, [key]: withValueAt(record[key], rest, next) };
}
