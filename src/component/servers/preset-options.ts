import type { ModelServer } from "../../core/model.ts";
import { type BentomlOptions, bentoml } from "./bentoml.ts";
import { type CustomServerOptions, custom } from "./custom.ts";
import { type FastapiOptions, fastapi } from "./fastapi.ts";
import { type MlserverOptions, mlserver } from "./mlserver.ts";
import { type RayServeOptions, rayServe } from "./ray-serve.ts";
import { type TensorflowServingOptions, tensorflowServing } from "./tensorflow-serving.ts";
import { type TorchserveOptions, torchserve } from "./torchserve.ts";
import { type TritonOptions, triton } from "./triton.ts";
import { type VllmOptions, vllm } from "./vllm.ts";

type Form<Preset extends string, Options> = { readonly preset: Preset } & Options;

/** The same options, with the model's own name as the default of `modelName`. */
type Named<Options extends { readonly modelName: string }> = Omit<Options, "modelName"> &
  Partial<Pick<Options, "modelName">>;

/** A preset with its options as data, for configurations in YAML and JSON. */
export type PresetServer =
  | Form<"mlserver", Named<MlserverOptions>>
  | Form<"triton", Named<TritonOptions>>
  | Form<"vllm", VllmOptions>
  | Form<"tensorflow-serving", Named<TensorflowServingOptions>>
  | Form<"torchserve", TorchserveOptions>
  | Form<"bentoml", BentomlOptions>
  | Form<"ray-serve", RayServeOptions>
  | Form<"fastapi", FastapiOptions>
  | Form<"custom", CustomServerOptions>;

/**
 * What the preset's function makes of the options.
 * @throws UserError `server-invalid`
 */
export function presetServer(server: PresetServer, modelName: string): ModelServer {
  switch (server.preset) {
    case "mlserver": {
      const { preset: _preset, ...options } = server;
      return mlserver({ modelName, ...options });
    }
    case "triton": {
      const { preset: _preset, ...options } = server;
      return triton({ modelName, ...options });
    }
    case "tensorflow-serving": {
      const { preset: _preset, ...options } = server;
      return tensorflowServing({ modelName, ...options });
    }
    case "vllm": {
      const { preset: _preset, ...options } = server;
      return vllm(options);
    }
    case "torchserve": {
      const { preset: _preset, ...options } = server;
      return torchserve(options);
    }
    case "bentoml": {
      const { preset: _preset, ...options } = server;
      return bentoml(options);
    }
    case "ray-serve": {
      const { preset: _preset, ...options } = server;
      return rayServe(options);
    }
    case "fastapi": {
      const { preset: _preset, ...options } = server;
      return fastapi(options);
    }
    case "custom": {
      const { preset: _preset, ...options } = server;
      return custom(options);
    }
  }
}
