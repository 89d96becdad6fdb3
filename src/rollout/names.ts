import type { ResolvedConfig } from "../config/types.ts";
import { namesOfModel, type ObjectNames, objectNames } from "../core/names.ts";

/** The names that the configuration gives to a model's objects. */
export function configuredNames(config: Pick<ResolvedConfig, "name" | "runs" | "ingress">): ObjectNames {
  return config.runs.form === "slots"
    ? namesOfModel(config.name, config.runs.slots, config.ingress)
    : objectNames(config.name, { ingress: config.ingress.name });
}
