import type * as k8s from "@pulumi/kubernetes";
import type { PodDefaults } from "../core/model.ts";

type DeploymentSpec = k8s.types.input.apps.v1.DeploymentSpec;

/**
 * A Deployment as the version that made it would have written it: what later versions add to every pod is taken away again, so
 * that an upgrade of modelswitch alone never restarts a pod. The slot's next release has the defaults of its time.
 */
export function withPodDefaults(spec: DeploymentSpec, defaults: PodDefaults | undefined): DeploymentSpec {
  switch (defaults) {
    case undefined:
      return spec;
    case "0.1.0":
      return withoutSeccompProfile(spec);
  }
}

/** Since 0.2.0 pods have the container runtime's seccomp profile; other settings there are the user's own. */
function withoutSeccompProfile(spec: DeploymentSpec): DeploymentSpec {
  const template = spec.template as k8s.types.input.core.v1.PodTemplateSpec;
  const { securityContext, ...pod } = template.spec as k8s.types.input.core.v1.PodSpec;
  if (JSON.stringify(securityContext) !== '{"seccompProfile":{"type":"RuntimeDefault"}}') return spec;
  return { ...spec, template: { ...template, spec: pod } };
}
