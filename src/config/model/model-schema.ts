import { z } from "zod";
import { valueAt } from "../../core/fields.ts";
import { describePath } from "../parts/problem.ts";
import { configSchema } from "./schema.ts";

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
export function schemaAt(path: readonly (string | number)[], input?: unknown): JsonSchema | undefined {
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

/** Paths of all keys of that name, wherever they are. */
export function placesOf(key: string, schema: JsonSchema, path: readonly string[]): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const here = [...path, name];
    return [...(name === key ? [describePath(here)] : []), ...placesOf(key, child, here)];
  });
}
