import type * as k8s from "@pulumi/kubernetes";
import { type Fields, isFields } from "../../core/fields.ts";
import type { KubernetesFields } from "../../core/release-contents.ts";

type DeploymentSpec = k8s.types.input.apps.v1.DeploymentSpec;
type Container = k8s.types.input.core.v1.Container;

/** A Deployment's spec with the fields that a release says as Kubernetes has them. Pure. */
export function withKubernetesFields(
  spec: DeploymentSpec,
  fields: KubernetesFields | undefined,
): DeploymentSpec {
  if (fields === undefined) return spec;
  const template = spec.template as k8s.types.input.core.v1.PodTemplateSpec;
  const pod = template.spec as k8s.types.input.core.v1.PodSpec;
  const [server, ...others] = pod.containers as Container[];
  if (server === undefined) return spec;
  return {
    ...spec,
    ...fields.deployment,
    template: {
      ...template,
      spec: { ...pod, ...fields.pod, containers: [withOwn(server, fields.container), ...others] },
    },
  };
}

function withOwn(server: Container, given: object | undefined): Container {
  if (given === undefined) return server;
  const { env: more, ...fields } = given as Fields;
  const merged = {
    ...server,
    ...fields,
    // Before the others, which may refer to them.
    ...(Array.isArray(more) ? { env: [...more, ...(server.env as readonly unknown[])] } : {}),
  } as Container;
  const ports = server.ports as { name?: string; containerPort?: number }[];
  const http = ports.find(({ name }) => name === "http")?.containerPort;
  const named = (merged.ports as { name?: string }[]).some(({ name }) => name === "http");
  if (named || http === undefined) return merged;
  // Probes ask for the port by the name that modelswitch gives it, which other ports do not have.
  const probes = (["readinessProbe", "livenessProbe", "startupProbe"] as const).flatMap((kind) => {
    const probe = merged[kind] as Fields | undefined;
    const get = probe?.httpGet;
    return probe === undefined || fields[kind] !== undefined || !isFields(get) || get.port !== "http"
      ? []
      : [[kind, { ...probe, httpGet: { ...get, port: http } }] as const];
  });
  return { ...merged, ...Object.fromEntries(probes) };
}
