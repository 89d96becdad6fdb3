import { type PresetName, presetNames } from "../../component/servers/preset-names.ts";
import { presetNamed } from "../../component/servers/presets.ts";
import type { ModelServer } from "../../core/model.ts";
import type { DescribedServer } from "../../rollout/adoption/found-server.ts";
import type { FoundContainer } from "../../rollout/adoption/inventory.ts";

/** What the images of a model server are called. A name alone proves nothing: the ports and the readiness path must fit, too. */
const imageNames: Readonly<Partial<Record<PresetName, RegExp>>> = {
  mlserver: /mlserver/,
  triton: /triton/,
  vllm: /vllm/,
  "tensorflow-serving": /tensorflow[/-]serving/,
  torchserve: /torchserve/,
  bentoml: /bento/,
  "ray-serve": /(rayproject|ray-serve)/,
};

/** Whether a preset's ports are those of the pods that run, as far as they say them. Pure. */
export function listensAlike(
  preset: Pick<ModelServer, "httpPort" | "otherPorts">,
  { port, otherPorts }: Pick<DescribedServer, "port" | "otherPorts">,
): boolean {
  const { grpc = preset.otherPorts.grpc } = otherPorts;
  return preset.httpPort === port && preset.otherPorts.grpc === grpc;
}

/** The preset that describes the pods which run; `undefined` where none does for sure. Pure. */
export function recognisedPreset(
  { image = "", readinessProbe }: FoundContainer,
  { port, otherPorts }: Pick<DescribedServer, "port" | "otherPorts">,
  model: string,
): PresetName | undefined {
  return presetNames.find((name) => {
    if (imageNames[name]?.test(image) !== true) return false;
    const preset = presetNamed(name, model);
    return (
      listensAlike(preset, { port, otherPorts }) && preset.readiness.path === readinessProbe?.httpGet?.path
    );
  });
}
