import type { ModelServer } from "../../core/model.ts";
import type { PresetName } from "./preset-names.ts";
import { presetServer } from "./preset-options.ts";

/** A preset by name, with its defaults; `modelName` is the model's name inside the server, where that matters. */
export function presetNamed(name: PresetName, modelName: string): ModelServer {
  return presetServer({ preset: name }, modelName);
}
