/**
 * What a configuration file gets for `import … from "modelswitch"`: the same functions as the package's entry, without
 * Pulumi behind them, so that reading a configuration stays fast and works where the package is not installed.
 */
export { defineRouter } from "../../component/routers/own.ts";
export * from "../../component/servers/presets.ts";
export { defineConfig } from "./define.ts";
