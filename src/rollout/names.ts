import type { ResolvedConfig } from "../config/types.ts";
import { type ObjectNames, objectNames } from "../core/names.ts";

/** The names that the configuration gives to a model's objects. */
export function configuredNames(config: Pick<ResolvedConfig, "name" | "runs" | "ingress">): ObjectNames {
  return objectNames(config.name, { slots: config.runs.slots ?? {}, ingress: config.ingress.name });
}
