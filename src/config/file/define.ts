import type { OneModelConfig, SeveralModelsConfig } from "../model/types.ts";

/** Types the configuration in `modelswitch.config.ts`; returns it unchanged. */
export function defineConfig<Model extends string, Environment extends string = never>(
  config: SeveralModelsConfig<Model, Environment>,
): SeveralModelsConfig<Model, Environment>;
export function defineConfig<Environment extends string = never>(
  config: OneModelConfig<Environment>,
): OneModelConfig<Environment>;
export function defineConfig(config: unknown): unknown {
  return config;
}
