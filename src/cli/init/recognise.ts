import { type PresetName, presetNamed, presetNames } from "../../component/servers/preset-server.ts";
import { presets } from "../../component/servers/presets.ts";
import type { ModelServer } from "../../core/model.ts";
import type { DescribedServer } from "../../rollout/adoption/found-server.ts";
import type { FoundContainer } from "../../rollout/adoption/inventory.ts";

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
    if (presets[name].images?.test(image) !== true) return false;
    const preset = presetNamed(name, model);
    return (
      listensAlike(preset, { port, otherPorts }) && preset.readiness.path === readinessProbe?.httpGet?.path
    );
  });
}
