import type { ResolvedConfig } from "../../config/types.ts";
import { differences } from "../differences.ts";
import type { Described } from "./describe.ts";
import { refused } from "./discover.ts";

/** Whether the configuration names nothing that could be taken over. */
export function notConfigured({ runs }: ResolvedConfig): boolean {
  return (
    runs.form !== "slots" ||
    runs.slots.blue.deployment === undefined ||
    runs.slots.blue.service === undefined ||
    runs.slots.blue.image === undefined
  );
}

/**
 * The configuration must say what runs: taking over is no moment to change it.
 * @throws UserError `adoption-refused`
 */
export function compareWithConfig(config: ResolvedConfig, found: Described, namespace: string): void {
  if (config.runs.form !== "slots") return;
  const { blue } = config.runs.slots;
  const before = {
    slots: { blue: decisive(found.blue) },
    ingress: { className: "nginx", path: "/", pathType: "Prefix", ...found.ingress },
    servicePort: found.servicePort,
  };
  const after = {
    slots: { blue: decisive(blue) },
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

/** What is compared: that the rest of a slot is described well only matters for later releases. */
function decisive({
  image,
  replicas,
  autoscaling,
  deployment,
  service,
  autoscaler,
  selector,
}: Described["blue"] | ({ image?: string } & Partial<Described["blue"]>)) {
  const size = autoscaling === undefined ? { replicas: replicas ?? 1 } : { autoscaling, autoscaler };
  return { image, ...size, deployment, service, selector };
}
