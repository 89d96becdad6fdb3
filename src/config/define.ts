import type { ModelswitchConfig } from "./types.ts";

/** Types the configuration in `modelswitch.config.ts`; returns it unchanged. */
export function defineConfig(config: ModelswitchConfig): ModelswitchConfig {
  return config;
}
