import { mayBeSecret } from "../../config/parts/problem.ts";
import { isFields } from "../../core/fields.ts";

/** One value that differs, by its path. */
export interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  /** For people, for example `image: fraud:1 -> fraud:2`. Values that may be secrets are hidden. */
  readonly text: string;
}

/**
 * Leaf by leaf, how `after` differs from `before`. Absent and `undefined` are the same. `except` names top-level keys
 * that do not count.
 */
export function differences(before: unknown, after: unknown, except: readonly string[]): Difference[] {
  const found: Difference[] = [];
  compare(before, after, "", found);
  return found.filter(({ path }) => !except.includes(path.split(/[.[]/)[0] ?? ""));
}

function compare(before: unknown, after: unknown, path: string, found: Difference[]): void {
  const left = recordOrNothing(before);
  const right = recordOrNothing(after);
  // One that appears or goes as a whole is told leaf by leaf, too: its values may be secrets.
  if (left !== undefined && right !== undefined && (isFields(before) || isFields(after))) {
    for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].toSorted()) {
      compare(left[key], right[key], path === "" ? key : `${path}.${key}`, found);
    }
    return;
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  // Whoever needs the value of an environment variable finds it in the configuration file; a log must not have it.
  if (mayBeSecret(path.split("."))) {
    found.push({
      path,
      before: hidden(before),
      after: hidden(after),
      text: `${path}: ${change(before, after)}`,
    });
  } else found.push({ path, before, after, text: `${path}: ${show(before)} -> ${show(after)}` });
}

/** A value that is not there has no keys; `undefined` for what is no record. */
function recordOrNothing(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return {};
  return isFields(value) ? value : undefined;
}

function hidden(value: unknown): unknown {
  return value === undefined ? undefined : "[hidden]";
}

function change(before: unknown, after: unknown): string {
  if (before === undefined) return "(none) -> [hidden]";
  return after === undefined ? "[hidden] -> (none)" : "another value [hidden]";
}

function show(value: unknown): string {
  if (value === undefined) return "(none)";
  return typeof value === "string" ? value : JSON.stringify(value);
}
