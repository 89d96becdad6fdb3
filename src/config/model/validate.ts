import { z } from "zod";
import { exitCodes, UserError } from "../../core/errors.ts";
import { valueAt } from "../../core/fields.ts";
import { didYouMean, nearest } from "../../core/nearest.ts";
import { parseDuration } from "../../core/rollout/steps.ts";
import { type ConfigProblem, describePath, showValue } from "../parts/problem.ts";
import { presetProblems, ruleProblems } from "./rules.ts";
import { configSchema } from "./schema.ts";
import type { ModelswitchConfig } from "./types.ts";

/** Keys that a file with one model may have beside those of the model. */
const besides = ["models", "environments", "defaultEnvironment", "configVersion"];

/**
 * Every mistake in the configuration of one model, in the order of its keys; none: it is valid. `where` says what an unknown
 * key at the top may have been meant to be: one of a model, or of the file, too. Pure.
 */
export function configProblems(input: unknown, where: "file" | "model" = "file"): ConfigProblem[] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return [{ path: [], message: `must be an object, but is ${showValue(input, [])}` }];
  }
  const checked = configSchema.safeParse(input);
  const shape = checked.success
    ? []
    : checked.error.issues.flatMap((issue) => translate(issue, input, [], where));
  // Rules over several fields hold for half-right files too: all mistakes are told at once. They say more than the shape.
  const rules = [
    ...ruleProblems(input),
    ...(checked.success ? presetProblems(withoutUndefined(checked.data) as ModelswitchConfig) : []),
  ];
  const ruled = new Set(rules.map((problem) => describePath(problem.path)));
  const problems = [...shape.filter((problem) => !ruled.has(describePath(problem.path))), ...rules];
  const order = Object.keys(input);
  const rank = (problem: ConfigProblem) => order.indexOf(String(problem.path[0]));
  return problems.sort((a, b) => rank(a) - rank(b));
}

/**
 * The configuration of one model if it is valid.
 * @throws UserError `config-invalid` (exit code 2) with every mistake, file and path named
 */
export function validateConfig(input: unknown, file: string): ModelswitchConfig {
  const problems = configProblems(input);
  if (problems.length > 0) throw invalidConfig(problems.map((problem) => ({ ...problem, file })));
  return withoutUndefined(input) as ModelswitchConfig;
}

/** Every mistake in one error; each names its file, its path and the value. */
export function invalidConfig(
  problems: readonly (ConfigProblem & { readonly file: string; readonly note?: string })[],
): UserError {
  const found = problems.map(({ file, path, message, note }) => ({
    file,
    path: describePath(path),
    message: note === undefined ? message : `${message} (${note})`,
  }));
  const files = [...new Set(found.map(({ file }) => file))];
  const [file = ""] = files;
  const [only, ...others] = found;
  const lines = found.map((problem) =>
    files.length === 1
      ? `  ${problem.path}: ${problem.message}`
      : `  ${problem.file}: ${problem.path}: ${problem.message}`,
  );
  const whose = files.length === 1 ? `${file} has` : "The configuration has";
  return new UserError({
    code: "config-invalid",
    message:
      only !== undefined && others.length === 0
        ? `${file}: ${only.path}: ${only.message}`
        : `${whose} ${found.length} mistakes:\n${lines.join("\n")}`,
    hint: "Every key is described in docs/configuration.md; `modelswitch config validate` checks all models and environments without changing anything.",
    exitCode: exitCodes.usage,
    details: {
      file,
      problems: found.map((problem) => ({
        ...(files.length === 1 ? {} : { file: problem.file }),
        path: problem.path,
        message: problem.message,
      })),
    },
  });
}

type Issue = z.core.$ZodIssue;

function translate(
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

export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

let ofModel: JsonSchema | undefined;

/** The JSON schema of one model's configuration. */
export function modelJsonSchema(): JsonSchema {
  ofModel ??= z.toJSONSchema(configSchema, { io: "input" }) as JsonSchema;
  return ofModel;
}

/** The JSON types that a key may have; none where there is no such key. */
export function typesAt(path: readonly (string | number)[]): string[] {
  return schemasAt(path)
    .flatMap((schema) => alternatives(schema))
    .flatMap(({ type, enum: values }) => type ?? (values === undefined ? [] : ["string"]));
}

/** With `input`, only the alternatives that it can be: those whose constants it has. */
function schemaAt(path: readonly (string | number)[], input?: unknown): JsonSchema | undefined {
  const schemas = schemasAt(path, input);
  const value = input === undefined ? undefined : valueAt(input, path);
  return (
    schemas
      .flatMap((schema) => alternatives(schema, value))
      .find(({ properties }) => properties !== undefined) ?? schemas[0]
  );
}

function schemasAt(path: readonly (string | number)[], input?: unknown): readonly JsonSchema[] {
  let schemas: readonly JsonSchema[] = [modelJsonSchema()];
  for (const [depth, key] of path.entries()) {
    const value = input === undefined ? undefined : valueAt(input, path.slice(0, depth));
    schemas = schemas
      .flatMap((schema) => alternatives(schema, value))
      .flatMap((schema) => {
        const next =
          typeof key === "number" ? schema.items : (schema.properties?.[key] ?? schema.additionalProperties);
        return typeof next === "object" ? [next] : [];
      });
  }
  return schemas;
}

/** A schema and those that it is made of; with a value, without those whose constants it does not have. */
export function alternatives(schema: JsonSchema, value?: unknown): readonly JsonSchema[] {
  const fits = ({ properties, required = [] }: JsonSchema) =>
    value === undefined ||
    Object.entries(properties ?? {}).every(([key, { const: constant }]) => {
      const given = valueAt(value, [key]);
      return constant === undefined || given === constant || (given === undefined && !required.includes(key));
    });
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => alternatives(one, value));
  return [schema, ...inner].filter(fits);
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

/** Paths of all keys of that name, wherever they are. */
function placesOf(key: string, schema: JsonSchema, path: readonly string[]): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const here = [...path, name];
    return [...(name === key ? [describePath(here)] : []), ...placesOf(key, child, here)];
  });
}

/** `undefined` says the same as no key, as in `context: process.env.CONTEXT`. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutUndefined(child)]));
}
