import type { z } from "zod";
import { valueAt } from "../../core/fields.ts";
import { didYouMean, nearest } from "../../core/nearest.ts";
import { parseDuration } from "../../core/rollout/steps.ts";
import { type ConfigProblem, describePath, showValue } from "../parts/problem.ts";
import { modelJsonSchema, placesOf, schemaAt } from "./model-schema.ts";

/** Keys that a file with one model may have beside those of the model. */
const besides = ["models", "environments", "defaultEnvironment", "configVersion"];

type Issue = z.core.$ZodIssue;

export function translate(
  issue: Issue,
  input: unknown,
  prefix: readonly (string | number)[],
  where: "file" | "model",
): ConfigProblem[] {
  const path = [...prefix, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  const value = valueAt(input, path);
  const shown = showValue(value, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: unknownKey(input, path, key, where),
      }));
    case "invalid_type":
      if (value === undefined) return [{ path, message: `is missing${about(path, input)}` }];
      return [{ path, message: wrongType(issue.expected, value, shown) }];
    case "invalid_value": {
      const allowed = issue.values.map(String);
      if (value === undefined) return [{ path, message: `is missing; choose one of ${allowed.join(", ")}` }];
      const meant = typeof value === "string" ? didYouMean(value, allowed) : "";
      return [{ path, message: `${shown} is none of ${allowed.join(", ")}${meant}` }];
    }
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array") return [{ path, message: "is empty" }];
      return [
        { path, message: `${shown} is too small; it must be ${bound(issue.minimum, issue.inclusive, ">")}` },
      ];
    case "too_big":
      return [
        { path, message: `${shown} is too big; it must be ${bound(issue.maximum, issue.inclusive, "<")}` },
      ];
    case "invalid_union":
      return union(issue, input, path, shown, where);
    case "invalid_key":
      return [{ path, message: issue.issues[0]?.message ?? "is no valid key" }];
    case "invalid_format":
      return [{ path, message: `${shown} ${issue.message}` }];
    default:
      return [{ path, message: issue.message }];
  }
}

function bound(limit: number | bigint, inclusive: boolean | undefined, sign: ">" | "<"): string {
  const word = sign === ">" ? "at least" : "at most";
  return inclusive === false ? `${sign === ">" ? "more" : "less"} than ${limit}` : `${word} ${limit}`;
}

function wrongType(expected: string, value: unknown, shown: string): string {
  const kind = expected === "int" ? "a whole number" : "a number";
  const isNumber = expected === "int" || expected === "number";
  if (isNumber && typeof value === "string" && shown !== "[hidden]") {
    const ms = /[a-z]/.test(value) ? parseDuration(value) : undefined;
    if (ms !== undefined) return `${shown} must be ${kind}; times are in seconds: write ${ms / 1000}`;
    const percent = /^(\d+) ?%$/.exec(value)?.[1];
    if (percent !== undefined) return `${shown} must be ${kind}; write ${percent}`;
  }
  if (expected === "int") return `${shown} must be a whole number`;
  if (expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
    return shown === "[hidden]" ? "must be a text, in quotes" : `${shown} must be a text; write "${shown}"`;
  }
  if (expected === "number" && typeof value === "string" && value !== "" && Number.isFinite(Number(value))) {
    return `${shown} must be a number; write ${value}`;
  }
  const names: Record<string, string> = {
    string: "a text",
    number: "a number",
    boolean: "true or false",
    object: "an object",
    record: "an object",
    array: "a list",
  };
  return `${shown} must be ${names[expected] ?? expected}`;
}

function union(
  issue: Extract<Issue, { code: "invalid_union" }>,
  input: unknown,
  path: readonly (string | number)[],
  shown: string,
  where: "file" | "model",
): ConfigProblem[] {
  const discriminator = "discriminator" in issue ? issue.discriminator : undefined;
  if (issue.errors.length === 0 && typeof discriminator === "string") {
    const at = path.at(-1) === discriminator ? path : [...path, discriminator];
    const kinds = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    const value = valueAt(input, at);
    if (value === undefined) return [{ path: at, message: `is missing; choose one of ${kinds.join(", ")}` }];
    const meant = typeof value === "string" ? didYouMean(value, kinds) : "";
    return [{ path: at, message: `${showValue(value, at)} is none of ${kinds.join(", ")}${meant}` }];
  }
  // The alternative of the right type tells more than "matches none".
  const given = valueAt(input, path);
  const isText = typeof given === "string";
  const excludes = (error: Issue) =>
    (error.path.length === 0 &&
      (error.code === "invalid_type" || (error.code === "invalid_value" && !isText))) ||
    // What a function of ours returned has a name, and says nowhere which of the forms of data it is.
    (isNoForm(error) &&
      valueAt(given, ["name"]) !== undefined &&
      valueAt(given, error.path.map(String)) === undefined);
  const fitting = issue.errors.find((errors) => !errors.some(excludes));
  if (fitting === undefined)
    return [{ path, message: `${shown} is none of the forms it can have${about(path, input)}` }];
  return fitting.flatMap((error) => translate(error, input, path, where));
}

/** No alternative has what the value has as its discriminator. */
function isNoForm(error: Issue): boolean {
  return error.code === "invalid_union" && error.errors.length === 0 && "discriminator" in error;
}

/** What a key is for, out of the schema. */
function about(path: readonly (string | number)[], input: unknown): string {
  const description = schemaAt(path, input)?.description;
  return description === undefined ? "" : ` (${description})`;
}

function unknownKey(
  input: unknown,
  path: readonly (string | number)[],
  key: string,
  where: "file" | "model",
): string {
  const ofModel = Object.keys(schemaAt(path, input)?.properties ?? {});
  const here = path.length === 0 && where === "file" ? [...ofModel, ...besides] : ofModel;
  const close = nearest(key, here);
  if (close !== undefined) return `is an unknown key; did you mean "${describePath([...path, close])}"?`;
  const elsewhere = placesOf(key, modelJsonSchema(), []);
  if (elsewhere.length > 0)
    return `is an unknown key here; did you mean ${elsewhere.map((place) => `"${place}"`).join(" or ")}?`;
  return `is an unknown key; known are ${here.join(", ")}`;
}
