import type { ConfigWishes } from "../../component/routers/compiled-wishes.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { OneModelConfig, SeveralModelsConfig, UnroutedConfig } from "../model/types.ts";

/** Types the configuration in `modelswitch.config.ts`; returns it unchanged. */
export function defineConfig<Model extends string, Environment extends string = never>(
  config: SeveralModelsConfig<Model, Environment>,
): SeveralModelsConfig<Model, Environment>;
/** What the router that is named cannot do does not compile. */
export function defineConfig<Environment extends string = never, Router extends RouterName = "nginx">(
  config: UnroutedConfig<Environment> & { readonly router?: Router } & ConfigWishes<NoInfer<Router>>,
): OneModelConfig<Environment>;
export function defineConfig(config: unknown): unknown {
  return config;
}
