import type { ResolvedConfig, SlotOnly } from "../../config/types.ts";
import type { SlotSpec } from "../../core/model.ts";
import { differences } from "../differences.ts";
import type { Described } from "./describe.ts";
import { refused } from "./discover.ts";

/** Whether the configuration names nothing that could be taken over. */
export function notConfigured({ runs }: ResolvedConfig): boolean {
  const blue = runs.slots?.blue;
  const image = runs.form === "slots" ? runs.slots.blue.image : runs.release.image;
  return blue?.deployment === undefined || blue.service === undefined || image === undefined;
}

/**
 * The configuration must say what runs: taking over is no moment to change it.
 * @throws UserError `adoption-refused`
 */
export function compareWithConfig(config: ResolvedConfig, found: Described, namespace: string): void {
  const { runs } = config;
  const before = {
    ...placed(runs.form, found.release, found.blue),
    ingress: { className: "nginx", path: "/", pathType: "Prefix", ...found.ingress },
    servicePort: found.servicePort,
  };
  const after = {
    ...(runs.form === "slots"
      ? placed(runs.form, runs.slots.blue, runs.slots.blue)
      : placed(runs.form, runs.release, runs.slots?.blue ?? {})),
    ingress: { className: "nginx", path: "/", pathType: "Prefix", name: config.name, ...config.ingress },
    servicePort: config.servicePort,
  };
  const changes = differences(before, after, []);
  if (changes.length === 0) return;
  throw refused(
    found.ingress.name,
    namespace,
    changes.map(({ text }) => ({
      reason: `${config.file} says something else than what runs: ${text}`,
      remedy: "say what runs (`modelswitch init --from … --force` does); change it after it is taken over",
    })),
  );
}

/** What is compared, where the configuration has it: that the rest is described well only matters for later releases. */
function placed(
  form: ResolvedConfig["runs"]["form"],
  { image, replicas, autoscaling }: SlotSpec,
  { deployment, service, autoscaler, selector }: SlotOnly,
) {
  const isAutoscaled = autoscaling !== undefined;
  const release = { image, ...(isAutoscaled ? { autoscaling } : { replicas: replicas ?? 1 }) };
  const blue = { deployment, service, selector, ...(isAutoscaled ? { autoscaler } : {}) };
  return form === "slots" ? { slots: { blue: { ...release, ...blue } } } : { release, slots: { blue } };
}
