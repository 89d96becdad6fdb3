import type * as k8s from "@pulumi/kubernetes";
import type { HttpProbe, ModelServer } from "../core/model.ts";
import { ownLabels } from "../core/names.ts";
import type { SlotArgs } from "./arguments.ts";

export const releaseLabel = "modelswitch.dev/release";

type DeploymentSpec = k8s.types.input.apps.v1.DeploymentSpec;
type Container = k8s.types.input.core.v1.Container;
type Probe = k8s.types.input.core.v1.Probe;

/** What a slot's Deployment says. Pure; values that are not known yet pass through. */
export function deploymentSpec(
  model: string,
  selector: Readonly<Record<string, string>>,
  slot: SlotArgs & { readonly image: NonNullable<SlotArgs["image"]> },
  server: ModelServer,
): DeploymentSpec {
  const startupSeconds =
    server.startup === undefined ? 0 : server.startup.periodSeconds * server.startup.failureThreshold;
  return {
    replicas: slot.replicas ?? 1,
    selector: { matchLabels: { ...selector } },
    // A slot that serves is never short of a replica, not even while its own settings change.
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
    progressDeadlineSeconds: Math.max(600, startupSeconds + 60),
    template: {
      metadata: { labels: { ...ownLabels(model), ...selector } },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: server.terminationGracePeriodSeconds,
        containers: [container(slot, server)],
      },
    },
  };
}

function container(
  slot: SlotArgs & { readonly image: NonNullable<SlotArgs["image"]> },
  server: ModelServer,
): Container {
  const env = { ...server.env, ...slot.env };
  const ports = { http: server.httpPort, ...server.otherPorts };
  const privilegedPort = Object.values(ports).some((port) => port < 1024);
  return {
    name: "model",
    image: slot.image,
    imagePullPolicy: slot.imagePullPolicy ?? "IfNotPresent",
    ...(slot.args === undefined ? {} : { args: [...slot.args] }),
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    readinessProbe: probe(server.readiness),
    ...(server.liveness === undefined ? {} : { livenessProbe: probe(server.liveness) }),
    ...(server.startup === undefined ? {} : { startupProbe: probe(server.startup) }),
    // A terminating pod serves on until every proxy and ingress controller has forgotten it.
    ...(server.preStopSleepSeconds > 0
      ? { lifecycle: { preStop: { sleep: { seconds: server.preStopSleepSeconds } } } }
      : {}),
    ...(slot.resources === undefined
      ? {}
      : {
          resources: {
            ...(slot.resources.requests === undefined ? {} : { requests: { ...slot.resources.requests } }),
            ...(slot.resources.limits === undefined ? {} : { limits: { ...slot.resources.limits } }),
          },
        }),
    // Nothing here can break an ordinary image; running as root is the image's choice.
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"], ...(privilegedPort ? { add: ["NET_BIND_SERVICE"] } : {}) },
    },
  };
}

function probe({ path, periodSeconds, timeoutSeconds, failureThreshold }: HttpProbe): Probe {
  return { httpGet: { path, port: "http" }, periodSeconds, timeoutSeconds, failureThreshold };
}
