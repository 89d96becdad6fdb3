import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  connected,
  type KubernetesApi,
  type LocalCluster,
  step,
  type Tool,
} from "../../../../src/support.ts";
import type { ClusterToolName } from "../tools/ensure.ts";
import { startAddons } from "./addons.ts";
import { type ClusterRecord, publicView, writeRecord } from "./cluster-state.ts";
import { ensureComponent, stopStrays } from "./components.ts";
import {
  chooseSnapshotter,
  containerdAnswers,
  containerdSpec,
  importPauseImage,
  type NodeContext,
} from "./containerd.ts";
import {
  apiServerSpec,
  type ControlPlaneContext,
  controllerManagerSpec,
  etcdSpec,
  schedulerSpec,
} from "./control-plane.ts";
import { prepareCredentials } from "./credentials.ts";
import { ingressAnswers, ingressObjects, traefikSpec } from "./ingress.ts";
import { kubeletSpec, proxySpec } from "./node.ts";
import { applyObjects } from "./objects.ts";
import { prepareNetwork, prepareRecord } from "./prepare.ts";
import { requireRunning } from "./processes.ts";
import { apiReady, nodeReady, podsCanBeMade } from "./readiness.ts";
import type { ClusterRun, ClusterShape } from "./run.ts";
import { together } from "./together.ts";
import { programOf } from "./tool-programs.ts";
import { waitUntil } from "./wait.ts";

const neededTools = [
  "kubernetes",
  "etcd",
  "containerd",
  "traefik",
] as const satisfies readonly ClusterToolName[];
type Tools = Readonly<Record<(typeof neededTools)[number], Promise<Tool>>> & {
  /** Absent where the cluster is to have none. */
  readonly addons?: Promise<Tool>;
};

/**
 * Starts the cluster, or what is stopped of it. Everything that can run at the same time does; each part starts as soon as
 * what it needs is there. The first failure stops the rest.
 */
export async function startCluster(run: ClusterRun, shape: ClusterShape): Promise<LocalCluster> {
  return together(run.signal, async (signal, also) => {
    const inner = { ...run, signal };
    const tools = obtainTools(inner, shape, also);
    await stopStrays(inner);
    const { ip, record, release } = await prepareRecord(inner, shape, async () => {
      const tool = await tools.containerd;
      return { path: programOf(tool, "ip"), env: tool.env };
    });
    const network = also(prepareNetwork(inner, record, ip).finally(release));
    const credentials = await prepareCredentials(run.folders, record, new Date(run.clock.now()));
    const context: ControlPlaneContext = { folders: run.folders, record, credentials };

    const api = also(startControlPlane(inner, tools, context, network));
    const runtime = also(startRuntime(inner, tools, record, network));
    const node = also(startNode(inner, tools, context, api, runtime));
    const ingress = also(startIngress(inner, tools, context, api));
    const addons = tools.addons && also(startAddons(inner, tools.addons, context, api, network));
    await Promise.all([node, ingress, addons]);

    const { version } = await tools.kubernetes;
    const finished = {
      ...record,
      version,
      readyAt: record.readyAt ?? new Date(run.clock.now()).toISOString(),
    };
    writeRecord(run.folders, finished);
    return publicView(run.folders, finished);
  });
}

function obtainTools(run: ClusterRun, shape: ClusterShape, also: <T>(work: Promise<T>) => Promise<T>): Tools {
  const parent = "cluster.tools";
  const started: [string, Promise<Tool>][] = [];
  // The step calls this at once: it is reported before those below it.
  const obtainOne = (name: ClusterToolName, version?: string) => {
    const tool = step(
      run.events,
      { id: `${parent}.${name}`, parent, title: name },
      (progress) =>
        run.ensureTool(name, { signal: run.signal, progress, ...(version === undefined ? {} : { version }) }),
      (found) => `${found.version} from ${found.origin}`,
    );
    started.push([name, also(tool)]);
    return tool;
  };
  const obtain = async () => {
    for (const name of neededTools) {
      const tool = obtainOne(name, name === "kubernetes" ? shape.kubernetesVersion : undefined);
      // After it: then most of what they are built of is compiled already.
      if (name === "kubernetes" && shape.addons) {
        started.push(["addons", also(tool.then(() => obtainOne("addons")))]);
      }
    }
    await Promise.all(started.map(([, tool]) => tool));
  };
  void also(step(run.events, { id: parent, parent: "cluster", title: "Tools" }, obtain));
  return Object.fromEntries(started) as Tools;
}

async function startControlPlane(
  run: ClusterRun,
  tools: Tools,
  context: ControlPlaneContext,
  network: Promise<void>,
): Promise<KubernetesApi> {
  const { folders } = context;
  const [etcd, kubernetes] = await Promise.all([tools.etcd, tools.kubernetes, network]);
  linkPrograms(run, kubernetes);
  return step(
    run.events,
    { id: "cluster.control-plane", parent: "cluster", title: "Control plane" },
    async (progress) => {
      await ensureComponent(run, etcdSpec(etcd, context));
      const server = await ensureComponent(run, apiServerSpec(kubernetes, context));
      const { api } = await connected({ path: folders.kubeconfig });
      await waitUntil(
        async () => {
          requireRunning(folders, "etcd");
          requireRunning(folders, "kube-apiserver");
          return apiReady(api, run.signal);
        },
        { ...run, deadlineMs: 120_000, what: "the API server", progress, typicalMs: 6_000 },
      );
      await ensureComponent(run, controllerManagerSpec(kubernetes, context, server));
      await ensureComponent(run, schedulerSpec(kubernetes, context, server));
      return api;
    },
  );
}

interface Runtime {
  readonly tool: Tool;
  readonly node: NodeContext;
}

async function startRuntime(
  run: ClusterRun,
  tools: Tools,
  record: ClusterRecord,
  network: Promise<void>,
): Promise<Runtime> {
  const [tool] = await Promise.all([tools.containerd, network]);
  return step(
    run.events,
    { id: "cluster.containers", parent: "cluster", title: "Container runtime" },
    async () => {
      const { folders, programs, signal } = run;
      const snapshotter = await chooseSnapshotter(folders, programs, signal);
      const node: NodeContext = { folders, record, nsenter: programs.nsenter, snapshotter };
      await ensureComponent(run, containerdSpec(tool, node));
      await waitUntil(
        async () => {
          requireRunning(folders, "containerd");
          return (await containerdAnswers(tool, node, signal)) ? true : "it does not answer yet";
        },
        { ...run, deadlineMs: 60_000, what: "containerd" },
      );
      await importPauseImage(tool, node, signal);
      return { tool, node };
    },
  );
}

async function startNode(
  run: ClusterRun,
  tools: Tools,
  context: ControlPlaneContext,
  api: Promise<KubernetesApi>,
  runtime: Promise<Runtime>,
): Promise<void> {
  const [client, { tool, node }, kubernetes] = await Promise.all([api, runtime, tools.kubernetes]);
  await step(run.events, { id: "cluster.node", parent: "cluster", title: "Node" }, async (progress) => {
    await ensureComponent(run, kubeletSpec(kubernetes, tool, node, context.credentials));
    await ensureComponent(run, proxySpec(kubernetes, tool, node, context.credentials));
    await waitUntil(
      async () => {
        for (const name of [
          "containerd",
          "kubelet",
          "kube-proxy",
          "kube-controller-manager",
          "kube-scheduler",
        ] as const) {
          requireRunning(context.folders, name);
        }
        const ready = await nodeReady(client, context.record.name, run.signal);
        return ready === true ? podsCanBeMade(client, run.signal) : ready;
      },
      {
        ...run,
        deadlineMs: 120_000,
        what: "the node",
        progress,
        typicalMs: 4_000,
        hint: firewallHint(run, context.record),
      },
    );
  });
}

const firewallHint = (run: ClusterRun, record: ClusterRecord) =>
  `See ${join(run.folders.logs, "kubelet.log")}. If it can't reach ${record.addresses.host}, a firewall of this machine may be in the way of its own network ${record.addresses.block}.`;

async function startIngress(
  run: ClusterRun,
  tools: Tools,
  context: ControlPlaneContext,
  api: Promise<KubernetesApi>,
): Promise<void> {
  const [client, traefik] = await Promise.all([api, tools.traefik]);
  const { record, folders, credentials } = context;
  await step(
    run.events,
    { id: "cluster.ingress", parent: "cluster", title: "Ingress controller" },
    async () => {
      await applyObjects(client, ingressObjects(record), run.signal);
      await ensureComponent(run, traefikSpec(traefik, record, credentials));
      await waitUntil(
        async () => {
          requireRunning(folders, "traefik");
          return (await ingressAnswers(record, run.signal)) ? true : "it does not answer yet";
        },
        { ...run, deadlineMs: 60_000, what: "the ingress controller" },
      );
    },
  );
}

/** Links to the Kubernetes programs in the state folder: `kubectl` among them is for users. */
function linkPrograms(run: ClusterRun, kubernetes: Tool): void {
  mkdirSync(run.folders.programs, { recursive: true, mode: 0o755 });
  const link = join(run.folders.programs, "kubectl");
  rmSync(link, { force: true });
  symlinkSync(programOf(kubernetes, "kubectl"), link);
}
