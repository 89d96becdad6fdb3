import { messageOf } from "../../core/errors.ts";
import { deepEqual, mapAt, text } from "../objects.ts";
import { isList, isMap, type PropertyMap, type PropertyValue } from "../struct.ts";
import { objectObserver } from "./object.ts";
import type { Observer } from "./observer.ts";
import { condition } from "./observer.ts";
import type { Verdict } from "./wait.ts";

/** What the annotation `pulumi.com/waitFor` asks for: one expression, or a JSON list of them that must all hold. */
export function waitForVerdict(annotationText: string, object: PropertyMap): Verdict {
  const open = expressionsOf(annotationText).filter((expression) => !holds(expression, object));
  return open.length === 0
    ? { state: "ready" }
    : { state: "waiting", reasons: [`Waiting for ${open.join(" and ")}`] };
}

/** What is wrong with the annotation, so that it is said before anything is written. */
export function waitForProblem(annotationText: string): string | undefined {
  try {
    expressionsOf(annotationText);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function expressionsOf(annotationText: string): readonly string[] {
  let parsed: unknown = annotationText;
  try {
    parsed = JSON.parse(annotationText);
  } catch {
    // A single expression is no JSON.
  }
  const expressions = (Array.isArray(parsed) ? parsed : [parsed]).map(String);
  if (expressions.length === 0) throw new Error("The annotation pulumi.com/waitFor is an empty list.");
  for (const expression of expressions) {
    if (!/^(jsonpath|condition)=./.test(expression)) {
      throw new Error(
        `The annotation pulumi.com/waitFor has "${expression}"; it must start with "jsonpath=" or "condition=".`,
      );
    }
  }
  return expressions;
}

function holds(expression: string, object: PropertyMap): boolean {
  if (expression.startsWith("condition=")) {
    const [type = "", status = "True"] = expression.slice("condition=".length).split("=");
    return text(condition(object, type), "status").toLowerCase() === status.toLowerCase();
  }
  const match =
    /^jsonpath='?\{(.*)\}'?(?:=(.*))?$/.exec(expression) ?? /^jsonpath=([^=]*)(?:=(.*))?$/.exec(expression);
  const path = match?.[1] ?? "";
  const values = select([object], path);
  const wanted = match?.[2]?.replace(/^['"]|['"]$/g, "");
  const present = values.filter((value) => value !== null);
  return wanted === undefined ? present.length > 0 : present.some((value) => String(value) === wanted);
}

/** The part of JSONPath that `kubectl wait` is used with: `.a.b`, `[0]`, `[*]`, `["a.b"]` and `[?(@.a=="b")]`. */
function select(from: readonly PropertyValue[], path: string): readonly PropertyValue[] {
  let current = from;
  const steps = path.matchAll(
    /\.([^.[\]]+)|\[(\d+|\*)\]|\[["']([^"']+)["']\]|\[\?\(@\.([\w.]+)\s*==\s*["']?([^"')]*)["']?\)\]/g,
  );
  for (const [, key, position, quoted, field, wanted] of steps) {
    current = current.flatMap((value): readonly PropertyValue[] => {
      const name = key?.replaceAll("\\", "") ?? quoted;
      if (name !== undefined) return isMap(value) && value[name] !== undefined ? [value[name]] : [];
      if (!isList(value)) return [];
      if (position === "*") return value;
      if (position !== undefined)
        return value[Number(position)] === undefined ? [] : [value[Number(position)] ?? null];
      return value.filter(
        (element) => isMap(element) && deepEqual(pluck(element, field ?? ""), wanted ?? ""),
      );
    });
  }
  return current;
}

function pluck(value: PropertyMap, field: string): string {
  const keys = field.split(".");
  const last = keys.pop() ?? "";
  const found = mapAt(value, ...keys)[last];
  return typeof found === "object" || found === undefined ? "" : String(found);
}

export function waitForObserver(annotationText: string): Observer {
  return objectObserver((object) => waitForVerdict(annotationText, object), "conditions");
}
