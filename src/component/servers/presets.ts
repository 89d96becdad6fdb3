import type { ModelServer } from "../../core/model.ts";
import { bentoml } from "./bentoml.ts";
import { fastapi } from "./fastapi.ts";
import { mlserver } from "./mlserver.ts";
import type { PresetName } from "./preset-names.ts";
import { rayServe } from "./ray-serve.ts";
import { tensorflowServing } from "./tensorflow-serving.ts";
import { torchserve } from "./torchserve.ts";
import { triton } from "./triton.ts";
import { vllm } from "./vllm.ts";

/** A preset by name, with its defaults; `modelName` is the model's name inside the server, where that matters. */
export function presetNamed(name: PresetName, modelName: string): ModelServer {
  switch (name) {
    case "mlserver":
      return mlserver({ modelName });
    case "triton":
      return triton({ modelName });
    case "vllm":
      return vllm();
    case "tensorflow-serving":
      return tensorflowServing({ modelName });
    case "torchserve":
      return torchserve();
    case "bentoml":
      return bentoml();
    case "ray-serve":
      return rayServe();
    case "fastapi":
      return fastapi();
  }
}
