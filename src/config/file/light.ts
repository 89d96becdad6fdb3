/**
 * What a configuration file gets for `import … from "modelswitch"`: the same functions as the package's entry, without
 * Pulumi behind them, so that reading a configuration stays fast and works where the package is not installed.
 */
export { bentoml } from "../../component/servers/bentoml.ts";
export { custom } from "../../component/servers/custom.ts";
export { fastapi } from "../../component/servers/fastapi.ts";
export { mlserver } from "../../component/servers/mlserver.ts";
export { rayServe } from "../../component/servers/ray-serve.ts";
export { tensorflowServing } from "../../component/servers/tensorflow-serving.ts";
export { torchserve } from "../../component/servers/torchserve.ts";
export { triton } from "../../component/servers/triton.ts";
export { vllm } from "../../component/servers/vllm.ts";
export { defineConfig } from "./define.ts";
