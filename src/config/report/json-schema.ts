import { environmentNamePattern } from "../file/project.ts";
import { configVersion } from "../file/version.ts";
import { type JsonSchema, modelJsonSchema } from "../model/model-schema.ts";
import { withShared } from "./shared-schemas.ts";

type Schema = JsonSchema & Readonly<Record<string, unknown>>;

/** In YAML such keys hold anchors for the rest of the file, and mean nothing. */
const holders = { "^(x-|\\.)": { description: "Anything, to be used by aliases" } };

/** In JSON and YAML a value may come from an environment variable. */
const variable = { $ref: "#/$defs/variable" };

/**
 * The JSON schema of the configuration file, for editors: the form with one model and the one with several, environments and
 * overlays, and `${env:NAME}` in place of any value. Rules over several fields are the command's alone.
 */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, description: _about, ...model } = modelJsonSchema() as Schema;
  const properties = model.properties as Readonly<Record<string, Schema>>;
  const { name, ...ofModel } = properties;
  const part = { $ref: "#/$defs/part" };
  const environment = { $ref: "#/$defs/environment" };
  const environments = {
    type: "object",
    description:
      "What each environment has otherwise; its own file, for example modelswitch.config.production.yaml, comes on top",
    propertyNames: { pattern: environmentNamePattern.source },
    additionalProperties: { anyOf: [environment, { type: "null" }] },
  };
  const file = {
    $schema: { type: "string", description: "This schema, for editors" },
    configVersion: {
      type: "integer",
      minimum: 0,
      maximum: configVersion,
      description: `Version of the file's shape. Default: ${configVersion}`,
    },
    environments,
    defaultEnvironment: {
      type: "string",
      description: "The environment that is taken when none is named. Default: the only one",
    },
  };
  return withShared({
    $schema,
    $id: "modelswitch.schema.json",
    title: "Configuration of modelswitch",
    type: "object",
    anyOf: [
      {
        description: "One model",
        type: "object",
        properties: { ...file, name: withVariable(name ?? {}), ...mapValues(ofModel, complete) },
        patternProperties: holders,
        required: model.required,
        additionalProperties: false,
      },
      {
        description: "Several models",
        type: "object",
        properties: {
          ...file,
          defaults: { ...part, description: "What all models have, unless they say otherwise" },
          models: {
            type: "object",
            description: "The models by name",
            minProperties: 1,
            propertyNames: { pattern: String(name?.pattern) },
            additionalProperties: { anyOf: [part, { type: "null" }] },
          },
        },
        patternProperties: holders,
        required: ["models"],
        additionalProperties: false,
      },
    ],
    $defs: {
      variable: {
        type: "string",
        pattern: "\\$\\{env:[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\\}",
        description: "From an environment variable: ${env:NAME} or ${env:NAME:-default}",
      },
      part: {
        type: "object",
        description: "Any keys of a model; null removes what a more general part says",
        properties: mapValues(ofModel, partOf),
        additionalProperties: false,
      },
      environment: {
        type: "object",
        description:
          "What one environment has otherwise: keys of every model, and of single ones in `models`",
        properties: {
          $schema: file.$schema,
          configVersion: file.configVersion,
          ...mapValues(ofModel, partOf),
          models: {
            type: "object",
            description: "What single models have otherwise in this environment",
            additionalProperties: { anyOf: [part, { type: "null" }] },
          },
        },
        additionalProperties: false,
      },
      ...Object.fromEntries(
        Object.entries(ofModel).map(([key, value]) => [`part-${key}`, partial(value, key)]),
      ),
    },
  });
}

const partOf = (_value: Schema, key: string) => ({ $ref: `#/$defs/part-${key}` });

function mapValues<T, R>(record: Readonly<Record<string, T>>, change: (value: T, key: string) => R) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/** As it is, but that every scalar may come from a variable. */
function complete(schema: Schema): Schema {
  return walk(schema, withVariable, (object) => object);
}

/** Without required keys, and with `null` in every place: what a part says is laid over another. */
function partial(schema: Schema, key: string): Schema {
  // A model server and an identity are one thing: they are replaced whole.
  if (key === "server" || key === "identity") return nullable(complete(schema));
  return nullable(
    walk(
      schema,
      (scalar) => nullable(withVariable(scalar)),
      ({ required: _all, ...object }) => object as Schema,
    ),
  );
}

function walk(
  schema: Schema,
  scalar: (schema: Schema) => Schema,
  object: (schema: Schema) => Schema,
): Schema {
  const inner = (child: unknown) => walk(child as Schema, scalar, object);
  const union = (["anyOf", "oneOf"] as const).find((key) => Array.isArray(schema[key]));
  if (union !== undefined) return { ...schema, [union]: (schema[union] as readonly unknown[]).map(inner) };
  if (schema.type === "object") {
    const { properties, additionalProperties } = schema;
    return object({
      ...schema,
      ...(properties === undefined
        ? {}
        : { properties: mapValues(properties as Record<string, unknown>, inner) }),
      ...(typeof additionalProperties === "object"
        ? { additionalProperties: inner(additionalProperties) }
        : {}),
    });
  }
  if (schema.type === "array") {
    // A list is replaced whole: nothing in it is partial or removed.
    return { ...schema, items: walk((schema.items ?? {}) as Schema, withVariable, (whole) => whole) };
  }
  return scalar(schema);
}

function withVariable(schema: Schema): Schema {
  const isFree = schema.type === "string" && schema.pattern === undefined && schema.enum === undefined;
  if (isFree || "const" in schema) return schema;
  const { description, ...rest } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    anyOf: [rest as Schema, variable as Schema],
  };
}

function nullable(schema: Schema): Schema {
  const { description, ...rest } = schema;
  const alternatives = Object.keys(rest).length === 1 && Array.isArray(rest.anyOf) ? rest.anyOf : [rest];
  return {
    ...(description === undefined ? {} : { description }),
    anyOf: [...(alternatives as readonly JsonSchema[]), { type: "null" }],
  };
}
