import {
  ingressEndpointAnnotation,
  ingressMetricsAnnotation,
  type KubernetesObject,
  type Tool,
} from "../../../../src/support.ts";
import { type ClusterRecord, ingressUrl } from "./cluster-state.ts";
import { type CredentialFiles, ingressUser } from "./credentials.ts";
import { clusterRole } from "./objects.ts";
import type { ComponentSpec } from "./processes.ts";
import { programOf } from "./tool-programs.ts";

/** The ingress controller: a process on the host, on loopback, that reads the annotations of ingress-nginx. */
export function traefikSpec(tool: Tool, record: ClusterRecord, credentials: CredentialFiles): ComponentSpec {
  const { ports } = record;
  const provider = "--providers.kubernetesingressnginx";
  return {
    name: "traefik",
    program: programOf(tool, "traefik"),
    env: { ...tool.env, KUBECONFIG: credentials.kubeconfigs.traefik },
    arguments: [
      "--global.checknewversion=false",
      "--global.sendanonymoususage=false",
      `--entrypoints.web.address=127.0.0.1:${ports.ingress}`,
      `--entrypoints.websecure.address=127.0.0.1:${ports.ingressTls}`,
      `--entrypoints.traefik.address=127.0.0.1:${ports.ingressAdministration}`,
      "--api.insecure=true",
      "--api.dashboard=false",
      "--ping=true",
      "--metrics.prometheus=true",
      "--metrics.prometheus.addserviceslabels=true",
      `${provider}=true`,
      `${provider}.httpentrypoint=web`,
      `${provider}.httpsentrypoint=websecure`,
      `${provider}.publishstatusaddress=127.0.0.1`,
      // Must be below the keep-alive of the model servers (5 s for uvicorn): else a request meets a closing connection.
      `${provider}.upstreamkeepalivetimeout=3`,
      "--serverstransport.forwardingtimeouts.idleconntimeout=3s",
      "--providers.providersthrottleduration=200ms",
      "--log.level=INFO",
      "--log.nocolor=true",
    ],
    configuration: [],
  };
}

/** What the cluster holds for the controller: its class, and its right to read what it serves. */
export function ingressObjects(record: ClusterRecord): KubernetesObject[] {
  const read = ["get", "list", "watch"];
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: {
        name: "nginx",
        annotations: {
          [ingressEndpointAnnotation]: ingressUrl(record),
          [ingressMetricsAnnotation]: `http://127.0.0.1:${record.ports.ingressAdministration}/metrics`,
        },
      },
      spec: { controller: "k8s.io/ingress-nginx" },
    },
    ...clusterRole(ingressUser, [
      {
        apiGroups: [""],
        resources: ["configmaps", "endpoints", "namespaces", "nodes", "secrets", "services"],
        verbs: read,
      },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
      { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingressclasses"], verbs: read },
      { apiGroups: ["networking.k8s.io"], resources: ["ingresses/status"], verbs: ["update", "patch"] },
    ]),
  ];
}

/** Whether the controller runs and its entry point answers (with 404, while there is no Ingress). */
export async function ingressAnswers(record: ClusterRecord, signal: AbortSignal): Promise<boolean> {
  const urls = [`http://127.0.0.1:${record.ports.ingressAdministration}/ping`, ingressUrl(record)];
  try {
    for (const url of urls) {
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      await answer.arrayBuffer();
    }
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
