import { adopting } from "../../component/adopted.ts";
import { deploymentSpec, releaseLabel } from "../../component/deployment.ts";
import { withPodDefaults } from "../../component/pod-defaults.ts";
import type { PodSpecShape } from "../../core/capacity/objects.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel, ownLabels } from "../../core/names.ts";
import { podScheme } from "../../core/pod-address.ts";
import type { Slot } from "../../core/slots.ts";

/** A slot's Deployment as it is going to be written. */
export interface PlannedDeployment {
  readonly apiVersion: "apps/v1";
  readonly kind: "Deployment";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly metadata?: object; readonly spec: PodSpecShape };
  };
}

/** `undefined`: somebody else runs the slot's pods, or they stay as they were found. Pure. */
export function plannedDeployment(spec: ModelSpec, slot: Slot): PlannedDeployment | undefined {
  const { image, versions: _, podDefaults, release, ...runs } = spec.slots[slot];
  if (image === undefined) return undefined;
  if (spec.adopted?.slot === slot && spec.adopted.templateKept) return undefined;
  const selector = runs.selector ?? { app: spec.name, version: slot };
  const adopted = adopting(spec.adopted, spec.namespace);
  const own = {
    app: spec.name,
    version: slot,
    ...ownLabels(spec.name),
    ...(release === undefined ? {} : { [releaseLabel]: String(release) }),
  };
  const written = deploymentSpec(
    spec.name,
    selector,
    { ...runs, image } as Parameters<typeof deploymentSpec>[2],
    spec.server,
    podScheme(spec.ingress.protocol, spec.server),
  );
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: namesOfModel(spec.name, spec.slots, spec.ingress).deployment[slot],
      namespace: spec.namespace,
      labels: own,
      ...adopted.metadata(slot, "deployment", own),
    },
    // No value of a model's own description is an output of Pulumi's.
    spec: adopted.deploymentSpec(slot, withPodDefaults(written, podDefaults)) as PlannedDeployment["spec"],
  };
}
