import type { ModelServer } from "../../core/model.ts";
import { presets } from "./presets.ts";

type Presets = typeof presets;

/** Model servers that can be given by name. */
export type PresetName = Exclude<keyof Presets, "custom">;

/** The same options, with the model's own name as the default of `modelName`. */
type Named<Options> = Options extends { readonly modelName: string }
  ? Omit<Options, "modelName"> & Partial<Pick<Options, "modelName">>
  : Options;

/** A preset with its options as data, for configurations in YAML and JSON. */
export type PresetServer = {
  readonly [Name in keyof Presets]: { readonly preset: Name } & Named<Parameters<Presets[Name]["server"]>[0]>;
}[keyof Presets];

const isPresetName = (name: string): name is PresetName => name in presets && name !== "custom";

export const presetNames: readonly PresetName[] = Object.keys(presets).filter(isPresetName);

/**
 * What the preset's function makes of the options.
 * @throws UserError `server-invalid`
 */
export function presetServer({ preset, ...options }: PresetServer, modelName: string): ModelServer {
  const { options: known, server } = presets[preset];
  const given = "modelName" in known ? { modelName, ...options } : options;
  // Name and options belong together, which is lost where a union is taken apart.
  return (server as (options: object) => ModelServer)(given);
}

/** A preset by name, with its defaults; `modelName` is the model's name inside the server, where that matters. */
export function presetNamed(name: PresetName, modelName: string): ModelServer {
  return presetServer({ preset: name }, modelName);
}

/** Presets that know no way to tell blue's answers from green's: the configuration has to say one. */
export const withoutIdentity: readonly string[] = presetNames.filter(
  (name) => presetNamed(name, "model").identity === undefined,
);
