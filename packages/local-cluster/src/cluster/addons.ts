import { Resolver } from "node:dns/promises";
import { mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type KubernetesApi, step, type Tool } from "../../../../src/support.ts";
import {
  addonObjects,
  addonRights,
  metricsApiService,
  metricsApiServiceName,
  provisionerName,
} from "./addon-objects.ts";
import type { ClusterRecord } from "./cluster-state.ts";
import { ensureComponent } from "./components.ts";
import type { ControlPlaneContext } from "./control-plane.ts";
import { addonUsers } from "./credentials.ts";
import { writePrivateFile } from "./files.ts";
import { enterNode } from "./namespaces.ts";
import { applyObjects } from "./objects.ts";
import { type ComponentSpec, readComponent, requireRunning } from "./processes.ts";
import type { ClusterRun } from "./run.ts";
import { programOf } from "./tool-programs.ts";
import { waitUntil } from "./wait.ts";

/**
 * The cluster's DNS, on the node's address in the node's network. There is no way from there to other networks, so a name
 * that is not the cluster's does not exist, and programs learn that at once.
 */
export function dnsSpec(tool: Tool, context: ControlPlaneContext, nsenter: string): ComponentSpec {
  const { folders, record, credentials } = context;
  const path = join(folders.configuration, "Corefile");
  const configuration = `. {
  bind ${record.addresses.node}
  errors
  loadbalance
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${credentials.kubeconfigs.coredns}
    ttl 5
  }
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
  writePrivateFile(path, configuration);
  return {
    name: "coredns",
    program: programOf(tool, "coredns"),
    through: enterNode(folders, nsenter),
    env: { ...tool.env },
    arguments: ["-conf", path],
    configuration: [configuration],
  };
}

/** It listens beside the API server, which is its only client, and takes nobody else's word. */
export function metricsServerSpec(tool: Tool, { record, credentials }: ControlPlaneContext): ComponentSpec {
  const kubeconfig = credentials.kubeconfigs["metrics-server"];
  return {
    name: "metrics-server",
    program: programOf(tool, "metrics-server"),
    env: { ...tool.env },
    arguments: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--bind-address=${record.addresses.host}`,
      `--secure-port=${record.ports.metrics}`,
      `--tls-cert-file=${credentials.metricsServer.certificate}`,
      `--tls-private-key-file=${credentials.metricsServer.key}`,
      "--kubelet-preferred-address-types=InternalIP",
      // The shortest it allows: whoever tries out an autoscaler waits for it.
      "--metric-resolution=10s",
      "--kubelet-request-timeout=5s",
    ],
    configuration: [],
  };
}

export function provisionerSpec(tool: Tool, { folders, credentials }: ControlPlaneContext): ComponentSpec {
  mkdirSync(folders.volumes, { recursive: true, mode: 0o711 });
  return {
    name: "local-path-provisioner",
    program: programOf(tool, "local-path-provisioner"),
    env: { ...tool.env },
    arguments: [
      `--kubeconfig=${credentials.kubeconfigs["local-path-provisioner"]}`,
      `--provisioner=${provisionerName}`,
      `--folder=${folders.volumes}`,
    ],
    configuration: [],
  };
}

/** Starts DNS, volumes and metrics. They work when this resolves; the first metrics come with the next measurements. */
export async function startAddons(
  run: ClusterRun,
  tool: Promise<Tool>,
  context: ControlPlaneContext,
  api: Promise<KubernetesApi>,
  network: Promise<void>,
): Promise<void> {
  const [client, program] = await Promise.all([api, tool, network]);
  const { record, folders, credentials } = context;
  await step(
    run.events,
    { id: "cluster.addons", parent: "cluster", title: "DNS, volumes and metrics" },
    async (progress) => {
      await applyObjects(client, addonRights(), run.signal);
      await Promise.all([
        applyObjects(client, addonObjects(record), run.signal),
        ensureComponent(run, dnsSpec(program, context, run.programs.nsenter)),
        ensureComponent(run, provisionerSpec(program, context)),
        rightsInForce(run, client).then(() => ensureComponent(run, metricsServerSpec(program, context))),
      ]);
      const wait = { ...run, deadlineMs: 60_000, progress };
      await Promise.all([
        waitUntil(
          async () => {
            requireRunning(folders, "coredns");
            return dnsAnswers(record);
          },
          { ...wait, what: "the cluster's DNS" },
        ),
        waitUntil(
          async () => {
            requireRunning(folders, "metrics-server");
            return metricsServerListens(record);
          },
          { ...wait, what: "metrics-server" },
        ),
      ]);
      const { pid, startTime } = readComponent(folders, "metrics-server") ?? {};
      const started = `${pid} ${startTime}`;
      await applyObjects(
        client,
        [metricsApiService(readFileSync(credentials.authority, "utf8"), started)],
        run.signal,
      );
      await waitUntil(
        async () => {
          requireRunning(folders, "metrics-server");
          requireRunning(folders, "local-path-provisioner");
          return metricsAvailable(client, run.signal);
        },
        { ...wait, what: "the metrics API" },
      );
    },
  );
}

/** metrics-server ends when it may not read how requests are authenticated, and rights take a moment to be in force. */
async function rightsInForce(run: ClusterRun, api: KubernetesApi): Promise<void> {
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: addonUsers["metrics-server"],
      resourceAttributes: {
        namespace: "kube-system",
        verb: "get",
        resource: "configmaps",
        name: "extension-apiserver-authentication",
      },
    },
  };
  await waitUntil(
    async () => {
      const answer = await api.json<{ status?: { allowed?: boolean } }>({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body: review,
        signal: run.signal,
      });
      return answer.status?.allowed === true ? true : "its rights are not in force yet";
    },
    { ...run, deadlineMs: 30_000, what: "the rights of metrics-server", everyMs: 50 },
  );
}

/** Asks for the one Service that is always there. */
async function dnsAnswers(record: ClusterRecord): Promise<true | string> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([record.addresses.node]);
  try {
    const found = await resolver.resolve4("kubernetes.default.svc.cluster.local");
    return found.includes(record.addresses.apiService) ? true : "it does not know the Services yet";
  } catch {
    return "it does not answer yet";
  }
}

/** Whether something accepts connections where it is to listen. */
function metricsServerListens(record: ClusterRecord): Promise<true | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: record.addresses.host, port: record.ports.metrics, timeout: 2_000 });
    const notYet = () => {
      socket.destroy();
      resolve("it does not listen yet");
    };
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", notYet);
    socket.once("timeout", notYet);
  });
}

interface ApiService {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}

async function metricsAvailable(api: KubernetesApi, signal: AbortSignal): Promise<true | string> {
  const path = `/apis/apiregistration.k8s.io/v1/apiservices/${metricsApiServiceName}`;
  const found = await api.find<ApiService>(path, { signal });
  const condition = found?.status?.conditions?.find(({ type }) => type === "Available");
  if (condition?.status === "True") return true;
  return condition?.message ?? "the API server has not looked at it yet";
}
