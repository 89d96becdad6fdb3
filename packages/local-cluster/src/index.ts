import { mkdirSync } from "node:fs";
import {
  type Clock,
  type ClusterUpOptions,
  componentNames,
  type EventSink,
  exitCodes,
  interrupted,
  kubernetesVersions,
  type LocalCluster,
  type LocalClusterOptions,
  type LocalClusters,
  stateFolder,
  step,
  systemClock,
  UserError,
} from "../../../src/support.ts";
import { clusterNames, readRecord } from "./cluster/cluster-state.ts";
import { removeCluster } from "./cluster/down.ts";
import { checkHost, findHostPrograms, readHostFacts } from "./cluster/host.ts";
import { loadImage, loadImageFrom, requireCluster } from "./cluster/images.ts";
import { chooseKubernetesVersion } from "./cluster/kubernetes-version.ts";
import { type ClusterLock, lockCluster } from "./cluster/lock.ts";
import { logPath } from "./cluster/processes.ts";
import type { ClusterRun, ClusterShape } from "./cluster/run.ts";
import { checkClusterName, clusterFolders } from "./cluster/state-folder.ts";
import { clusterStatus } from "./cluster/status.ts";
import { startCluster } from "./cluster/up.ts";
import type { EnsureClusterTool } from "./tools/ensure.ts";

export interface LocalClustersOptions {
  /** @default `ensureClusterTool` */
  readonly ensureTool?: EnsureClusterTool;
  /** @default the environment of this process */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** The local clusters of this user. */
export function localClusters(options: LocalClustersOptions = {}): LocalClusters {
  const env = options.env ?? process.env;
  const clock = options.clock ?? systemClock;
  const ensureTool = options.ensureTool ?? defaultEnsureTool;
  const state = stateFolder(env);

  const prepare = ({ name, events, signal }: LocalClusterOptions): ClusterRun => {
    checkClusterName(name);
    checkHost(readHostFacts());
    const programs = findHostPrograms(env);
    const folders = clusterFolders(state, name);
    return {
      name,
      folders,
      stateFolder: state,
      programs,
      ensureTool,
      clock,
      events,
      signal,
    };
  };

  const locked = async <T>(run: ClusterRun, doing: string, work: () => Promise<T>): Promise<T> => {
    const lock = await lockWithEvent(run, doing);
    try {
      return await work();
    } finally {
      lock.release();
    }
  };

  return {
    up: async (request) => {
      const run = prepare(request);
      const about = { id: "cluster", title: `Local cluster ${run.name}` };
      const hint =
        "What runs already stays: `modelswitch cluster up` goes on from there, `modelswitch cluster down` removes it.";
      return interruptible(request.signal, "Starting the local cluster", hint, () =>
        locked(run, "cluster up", async () => {
          const shape = shapeOf(run, request);
          mkdirSync(run.folders.folder, { recursive: true, mode: 0o700 });
          return step(
            run.events,
            about,
            () => startCluster(run, shape),
            (cluster: LocalCluster) => `Kubernetes ${cluster.version}, ingress at ${cluster.ingressUrl}`,
          );
        }),
      );
    },
    down: async (request) => {
      const run = prepare(request);
      const about = { id: "cluster", title: `Removing the local cluster ${run.name}` };
      const hint = "`modelswitch cluster down` goes on from there.";
      return interruptible(request.signal, "Removing the local cluster", hint, () =>
        locked(run, "cluster down", () => step(run.events, about, () => removeCluster(run))),
      );
    },
    status: async (name) => {
      checkClusterName(name);
      return clusterStatus(clusterFolders(state, name));
    },
    loadImage: async (name, archivePath, signal) => {
      checkClusterName(name);
      checkHost(readHostFacts());
      const programs = findHostPrograms(env);
      const folders = clusterFolders(state, name);
      return loadImage({ folders, name, archivePath, programs, ensureTool, signal });
    },
    loadImageFrom: async (name, { image, from, signal }) => {
      checkClusterName(name);
      checkHost(readHostFacts());
      const programs = findHostPrograms(env);
      const folders = clusterFolders(state, name);
      return loadImageFrom({ folders, name, image, from, env, programs, ensureTool, signal });
    },
    log: async (name, component) => {
      checkClusterName(name);
      const folders = clusterFolders(state, name);
      requireCluster(folders, name);
      const known = componentNames.find((one) => one === component);
      if (known !== undefined) return logPath(folders, known);
      throw new UserError({
        code: "argument-invalid",
        message: `There is no component "${component}"; there are ${componentNames.join(", ")}.`,
        exitCode: exitCodes.usage,
      });
    },
    list: async () => clusterNames(state),
    host: () => {
      const facts = readHostFacts();
      const machine = { platform: facts.platform, userId: facts.userId };
      try {
        checkHost(facts);
        findHostPrograms(env);
        return { ...machine, refusal: undefined };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { ...machine, refusal: { message: error.message, hint: error.hint } };
      }
    },
    buildImage: async (request) => {
      const [{ buildImage }, { fullName }] = await Promise.all([
        import("./images/build.ts"),
        import("./images/containerfile.ts"),
      ]);
      // As Kubernetes reads short names: else a pod would not find what it asks for.
      const name = fullName(request.tag);
      return { name, ...(await buildImage({ ...request, tag: name, ensureTool, env })) };
    },
  };
}

/**
 * What the cluster is to be: what it is already, or what is asked for.
 * @throws UserError `cluster-differs`, `kubernetes-version-unsupported`
 */
function shapeOf(run: ClusterRun, request: ClusterUpOptions): ClusterShape {
  const record = readRecord(run.folders);
  const kubernetesVersion = chooseKubernetesVersion(kubernetesVersions, request.kubernetesVersion, record);
  const has = record === undefined ? undefined : (record.addons ?? true);
  if (has !== undefined && request.addons !== undefined && request.addons !== has) {
    throw new UserError({
      code: "cluster-differs",
      message: `The local cluster "${run.name}" was started ${has ? "with" : "without"} DNS, volumes and metrics.`,
      hint: `Take it down first (\`modelswitch cluster down --name ${run.name}\`), or choose another name with --name.`,
      exitCode: exitCodes.usage,
    });
  }
  return { kubernetesVersion, addons: has ?? request.addons ?? true };
}

/** Says what was interrupted, whichever part of it noticed the signal. */
async function interruptible<T>(
  signal: AbortSignal,
  what: string,
  hint: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? interrupted(what, hint) : error;
  }
}

/** Loaded only when a tool is needed. */
const defaultEnsureTool: EnsureClusterTool = async (name, options) => {
  const tools = await import("./tools/ensure.ts");
  return tools.ensureClusterTool(name, options);
};

async function lockWithEvent(run: ClusterRun, doing: string): Promise<ClusterLock> {
  return lockCluster(run.folders.folder, {
    doing,
    clock: run.clock,
    signal: run.signal,
    onWait: (holder) => waiting(run.events, holder),
  });
}

function waiting(events: EventSink, holder: string): void {
  events({ type: "info", message: `Waiting for another command on this cluster: ${holder}.` });
}
