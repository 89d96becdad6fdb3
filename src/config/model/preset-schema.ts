import { z } from "zod";
import type { Option, OptionValues } from "../../component/servers/option.ts";
import type { PresetServer } from "../../component/servers/preset-server.ts";
import { presets } from "../../component/servers/presets.ts";
import { inferenceProtocols } from "../../core/model.ts";
import { absolutePath, otherwise, port } from "../parts/schema-parts.ts";
import { containerPorts, environment, grpcIdentity, identitySchema, serverFacts } from "./server-parts.ts";

/** How each kind of option is checked, as `server: { preset: NAME, … }` takes it. */
const kinds: {
  readonly [Is in keyof OptionValues]: z.ZodType | ((option: Option<Is>) => z.ZodType);
} = {
  port,
  seconds: ({ minimum = 0 }) => z.int().min(minimum),
  "whole number": z.int().min(0),
  amount: z.number().min(0),
  flag: z.boolean(),
  text: z.string().min(1),
  "text or nothing": z.string(),
  path: absolutePath,
  "path or false": z.union([absolutePath, z.literal(false)]),
  environment,
  identity: identitySchema,
  "gRPC identity": grpcIdentity,
  "other ports": containerPorts,
  "keep-alive": serverFacts.keepAliveSeconds,
  protocol: z.enum(inferenceProtocols),
  metrics: serverFacts.metrics,
  draining: serverFacts.draining,
};

function optionSchema(option: Option<keyof OptionValues>): z.ZodType {
  const kind = kinds[option.is];
  const schema = typeof kind === "function" ? (kind as (option: object) => z.ZodType)(option) : kind;
  const fallback = option.otherwise ?? option.default;
  const said = typeof fallback === "object" || fallback === undefined ? [] : [otherwise(fallback)];
  const about = [...(option.about === undefined ? [] : [option.about]), ...said].join(". ");
  return (about === "" ? schema : schema.describe(about)).optional();
}

function form([preset, { options }]: readonly [string, { readonly options: object }]) {
  const shape = Object.entries(options).map(([name, option]) => [name, optionSchema(option)]);
  return z.strictObject({
    preset: z.literal(preset).describe("The preset"),
    ...(Object.fromEntries(shape) as Record<string, z.ZodType>),
  });
}

const [first, ...others] = Object.entries(presets).map(form);
if (first === undefined) throw new Error("There is no preset.");

/**
 * A preset with its options: of each just what its table says, whose kinds are tied to the types of its function, so the whole is what
 * `PresetServer` says.
 */
export const presetSchema = z.discriminatedUnion("preset", [
  first,
  ...others,
]) as unknown as z.ZodType<PresetServer>;
