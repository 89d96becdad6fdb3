import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { HttpProbe, ModelServer } from "../core/model.ts";
import { markAnnotation, modelContainer, ownLabels } from "../core/names.ts";
import type { PodScheme } from "../core/pod-address.ts";
import type { SlotArgs } from "./arguments.ts";
import { configFileMounts } from "./pod/config-files.ts";
import { envVariables } from "./pod/env.ts";
import { withKubernetesFields } from "./pod/kubernetes-fields.ts";
import { modelMount } from "./pod/model-source.ts";
import { resourceRequirements } from "./pod/resources.ts";
import { scheduling } from "./pod/scheduling.ts";
import { secretMounts, versionsAnnotation } from "./pod/secrets.ts";
import { containerSecurity, podSecurity } from "./pod/security.ts";

export { markAnnotation, modelContainer, releaseLabel } from "../core/names.ts";

type DeploymentSpec = k8s.types.input.apps.v1.DeploymentSpec;
type Container = k8s.types.input.core.v1.Container;
type Probe = k8s.types.input.core.v1.Probe;
type RunSlot = Omit<SlotArgs, "versions"> & {
  readonly image: NonNullable<SlotArgs["image"]>;
  /** Text of the versions' annotation. @default no annotation */
  readonly versions?: pulumi.Input<string> | undefined;
};

/** What a slot's Deployment says. Pure, and without Pulumi's SDK, which takes long to load; values that are not known yet pass through. */
export function deploymentSpec(
  model: string,
  selector: Readonly<Record<string, string>>,
  slot: RunSlot,
  server: ModelServer,
  scheme: PodScheme = "http",
): DeploymentSpec {
  const startupSeconds =
    server.startup === undefined ? 0 : server.startup.periodSeconds * server.startup.failureThreshold;
  const source = modelMount(slot.model);
  const files = configFileMounts(model, slot.configFiles);
  const secrets = secretMounts(slot.secrets ?? []);
  const { labels, annotations, containers, initContainers, volumes, securityContext } = slot.pod ?? {};
  const allVolumes = [...source.volumes, ...files.volumes, ...secrets.volumes, ...(volumes ?? [])];
  const allInitContainers = [...source.initContainers, ...(initContainers ?? [])];
  const { versions } = slot;
  const allAnnotations = {
    ...annotations,
    ...(versions === undefined ? {} : { [versionsAnnotation]: versions }),
    ...(slot.mark === undefined ? {} : { [markAnnotation]: slot.mark }),
  };
  const spec: DeploymentSpec = {
    ...replicasOf(slot),
    selector: { matchLabels: { ...selector } },
    // A slot that serves is never short of a replica, not even while its own settings change.
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
    progressDeadlineSeconds: Math.max(600, startupSeconds + 60),
    template: {
      metadata: {
        labels: { ...labels, ...ownLabels(model), ...selector },
        ...(Object.keys(allAnnotations).length === 0 ? {} : { annotations: allAnnotations }),
      },
      spec: {
        ...scheduling(slot.pod, selector),
        enableServiceLinks: false,
        terminationGracePeriodSeconds: server.terminationGracePeriodSeconds,
        securityContext: podSecurity(securityContext),
        ...(allInitContainers.length === 0 ? {} : { initContainers: allInitContainers }),
        containers: [
          container(slot, server, scheme, [
            ...source.mounts,
            ...files.mounts,
            ...secrets.mounts,
            ...(slot.volumeMounts ?? []),
          ]),
          ...(containers ?? []),
        ],
        ...(allVolumes.length === 0 ? {} : { volumes: allVolumes }),
      },
    },
  };
  return withKubernetesFields(spec, slot.kubernetes);
}

/** An autoscaler's number is not ours to say; only an empty slot is, which an autoscaler leaves alone. */
function replicasOf({
  autoscaling,
  replicas,
}: Pick<SlotArgs, "autoscaling" | "replicas">): Pick<DeploymentSpec, "replicas"> {
  if (autoscaling !== undefined) return replicas === 0 ? { replicas: 0 } : {};
  return { replicas: replicas ?? 1 };
}

function container(
  slot: RunSlot,
  server: ModelServer,
  scheme: PodScheme,
  volumeMounts: NonNullable<Container["volumeMounts"]>,
): Container {
  const ports = { [server.http === false ? "grpc" : "http"]: server.httpPort, ...server.otherPorts };
  return {
    name: modelContainer,
    image: slot.image,
    imagePullPolicy: slot.imagePullPolicy ?? "IfNotPresent",
    ...(slot.command === undefined ? {} : { command: [...slot.command] }),
    ...(slot.args === undefined ? {} : { args: [...slot.args] }),
    env: envVariables({ ...server.env, ...slot.env }),
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    readinessProbe: probe(server, server.readiness, scheme),
    ...(server.liveness === undefined ? {} : { livenessProbe: probe(server, server.liveness, scheme) }),
    ...(server.startup === undefined ? {} : { startupProbe: probe(server, server.startup, scheme) }),
    // A terminating pod serves on until every proxy and ingress controller has forgotten it.
    ...(server.preStopSleepSeconds > 0
      ? { lifecycle: { preStop: { sleep: { seconds: server.preStopSleepSeconds } } } }
      : {}),
    ...resourceRequirements(slot.resources, slot.gpus),
    securityContext: containerSecurity(slot.securityContext, Object.values(ports)),
    ...(Array.isArray(volumeMounts) && volumeMounts.length === 0 ? {} : { volumeMounts }),
  };
}

function probe(
  server: Pick<ModelServer, "http" | "httpPort">,
  { path, service = "", periodSeconds, timeoutSeconds, failureThreshold }: HttpProbe,
  scheme: PodScheme,
): Probe {
  const times = { periodSeconds, timeoutSeconds, failureThreshold };
  // The kubelet asks the gRPC health service by the port's number only.
  if (server.http === false)
    return { grpc: { port: server.httpPort, ...(service === "" ? {} : { service }) }, ...times };
  const httpGet = { path, port: "http", ...(scheme === "https" ? { scheme: "HTTPS" } : {}) };
  return { httpGet, ...times };
}
