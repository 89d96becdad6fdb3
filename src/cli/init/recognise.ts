import { type PresetName, presetNames } from "../../component/servers/preset-names.ts";
import { presetNamed } from "../../component/servers/presets.ts";
import type { Discovered } from "../../rollout/adoption/discover.ts";

/** What the images of a model server are called. A name alone proves nothing: the port and the readiness path must fit, too. */
const imageNames: Readonly<Partial<Record<PresetName, RegExp>>> = {
  mlserver: /mlserver/,
  triton: /triton/,
  vllm: /vllm/,
  "tensorflow-serving": /tensorflow[/-]serving/,
  torchserve: /torchserve/,
  bentoml: /bento/,
  "ray-serve": /(rayproject|ray-serve)/,
};

/** The preset that describes the pods which run; `undefined` where none does for sure. Pure. */
export function recognisedPreset(
  found: Pick<Discovered, "container" | "httpPort">,
  model: string,
): PresetName | undefined {
  const { image = "", readinessProbe } = found.container;
  return presetNames.find((name) => {
    if (imageNames[name]?.test(image) !== true) return false;
    const { httpPort, readiness } = presetNamed(name, model);
    return httpPort === found.httpPort && readiness.path === readinessProbe?.httpGet?.path;
  });
}
