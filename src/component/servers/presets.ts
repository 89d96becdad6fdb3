import { bentomlPreset } from "./bentoml.ts";
import { customPreset } from "./custom.ts";
import { fastapiPreset } from "./fastapi.ts";
import { mlserverPreset } from "./mlserver.ts";
import { rayServePreset } from "./ray-serve.ts";
import { tensorflowServingPreset } from "./tensorflow-serving.ts";
import { torchservePreset } from "./torchserve.ts";
import { tritonPreset } from "./triton.ts";
import { vllmPreset } from "./vllm.ts";

export { type BentomlOptions, bentoml } from "./bentoml.ts";
export { type CustomServerOptions, custom } from "./custom.ts";
export { type FastapiOptions, fastapi } from "./fastapi.ts";
export { type MlserverOptions, mlserver } from "./mlserver.ts";
export { type RayServeOptions, rayServe } from "./ray-serve.ts";
export { type TensorflowServingOptions, tensorflowServing } from "./tensorflow-serving.ts";
export { type TorchserveOptions, torchserve } from "./torchserve.ts";
export { type TritonOptions, triton } from "./triton.ts";
export { type VllmOptions, vllm } from "./vllm.ts";

/**
 * The model servers that a configuration can name, in the order in which they are listed. Types, schema, command line, their
 * documentation, and what the package and configuration files export are made of this file: a preset is its own file, test and page, and
 * its row here.
 */
export const presets = {
  mlserver: mlserverPreset,
  triton: tritonPreset,
  vllm: vllmPreset,
  "tensorflow-serving": tensorflowServingPreset,
  torchserve: torchservePreset,
  bentoml: bentomlPreset,
  "ray-serve": rayServePreset,
  fastapi: fastapiPreset,
  /** Any other server, which has to be described: no name alone says enough of it. */
  custom: customPreset,
} as const;
