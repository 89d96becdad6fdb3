import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { exitCodes, UserError } from "../core/errors.ts";
import { defaultClusterName, type LocalClusters } from "../core/local-cluster.ts";
import { didYouMean } from "../core/nearest.ts";
import { textOf } from "../kubernetes/kubeconfig/choose.ts";
import { filesNamed } from "../kubernetes/kubeconfig/load.ts";
import type { KubeconfigSource } from "../kubernetes/source.ts";
import type { GlobalOptions } from "./command.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What the configuration file says about the cluster; the path is absolute. */
export interface ConfiguredCluster {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The outside world, replaced in tests. */
export interface KubeconfigDependencies {
  readonly exists: (path: string) => boolean;
  readonly localClusters: () => Promise<Pick<LocalClusters, "status" | "list">>;
}

const realDependencies = (env: Env): KubeconfigDependencies => ({
  exists: existsSync,
  localClusters: async () => (await import("./local-clusters.ts")).localClusters(env),
});

/**
 * Which cluster a command means: the options, then the configuration file, then kubectl's rules (KUBECONFIG, ~/.kube/config, the
 * pod's service account), then the running local cluster `default`. It is read once, here: what comes back holds the cluster
 * itself, so that everything a command asks and writes is one cluster, whatever happens to files and contexts meanwhile.
 * @throws UserError `kubeconfig-conflict`, `kubeconfig-missing`, `kubeconfig-invalid`, `context-unknown`, `cluster-absent`,
 * `cluster-not-chosen` (exit code 2)
 */
export async function resolveKubeconfig(
  globals: Pick<GlobalOptions, "folder" | "kubeconfigPath" | "context" | "cluster" | "given">,
  env: Env,
  configured: ConfiguredCluster = {},
  options: {
    readonly dependencies?: KubeconfigDependencies;
    /** `all`: the other contexts stay, for programs that choose one themselves. @default one */
    readonly keep?: "one" | "all";
  } = {},
): Promise<KubeconfigSource> {
  const source = await namedSource(globals, env, configured, options.dependencies ?? realDependencies(env));
  const { pinned } = await import("../kubernetes/source.ts");
  return pinned(source, options.keep ?? "one", env);
}

/** As `resolveKubeconfig`, but only where it is: nothing is read. */
export async function namedSource(
  globals: Pick<GlobalOptions, "folder" | "kubeconfigPath" | "context" | "cluster" | "given">,
  env: Env,
  configured: ConfiguredCluster,
  dependencies: KubeconfigDependencies,
): Promise<KubeconfigSource> {
  const context = globals.context ?? configured.context;
  const withContext = (path: string | undefined): KubeconfigSource => ({
    ...(path === undefined ? {} : { path }),
    ...(context === undefined ? {} : { context }),
  });
  const mustExist = (path: string, origin: string): KubeconfigSource => {
    if (dependencies.exists(path)) return withContext(path);
    throw missing(`The kubeconfig ${path} (${origin}) does not exist.`);
  };

  if (globals.cluster !== undefined) {
    const other = globals.kubeconfigPath === undefined ? globals.context : globals.kubeconfigPath;
    if (other !== undefined) {
      const option = globals.kubeconfigPath === undefined ? "context" : "kubeconfig";
      const said = (name: string) => globals.given?.[name] ?? `--${name}`;
      throw new UserError({
        code: "kubeconfig-conflict",
        message: `${said("cluster")} ${globals.cluster} names a local cluster, and ${said(option)} ${other} another one.`,
        hint: `Keep one of them.`,
        exitCode: exitCodes.usage,
      });
    }
    return { path: await pathOfLocalCluster(globals.cluster, dependencies) };
  }
  if (globals.kubeconfigPath !== undefined) {
    const origin = globals.given?.kubeconfig ?? "--kubeconfig";
    return mustExist(resolve(globals.folder, globals.kubeconfigPath), origin);
  }
  if (configured.kubeconfig !== undefined)
    return mustExist(configured.kubeconfig, "kubeconfig in the configuration file");

  const fromEnv = filesNamed(env.KUBECONFIG ?? "");
  const isInPod = () =>
    Boolean(env.KUBERNETES_SERVICE_HOST && env.KUBERNETES_SERVICE_PORT) &&
    dependencies.exists("/var/run/secrets/kubernetes.io/serviceaccount/token");
  if (fromEnv.length > 0) {
    // Several files are merged where they are read.
    if (fromEnv.some((path) => dependencies.exists(path)) || (context === undefined && isInPod())) {
      return withContext(undefined);
    }
    const [first = "", ...others] = fromEnv;
    throw missing(
      others.length === 0
        ? `The kubeconfig ${first} (KUBECONFIG) does not exist.`
        : `None of the kubeconfigs ${fromEnv.join(", ")} (KUBECONFIG) exists.`,
    );
  }

  const home = env.HOME || env.USERPROFILE;
  const usual = home === undefined || home === "" ? undefined : join(home, ".kube", "config");
  if (usual !== undefined && dependencies.exists(usual)) return withContext(usual);
  if (context === undefined && isInPod()) return {};
  if (context === undefined) {
    const local = await dependencies
      .localClusters()
      .then((clusters) => clusters.status(defaultClusterName))
      // Nobody asked for a local cluster by name.
      .catch(undefinedIfNotInstalled);
    if (local?.cluster !== undefined && (local.state === "running" || local.state === "degraded")) {
      return { path: local.cluster.kubeconfigPath };
    }
  }
  throw new UserError({
    code: "cluster-not-chosen",
    message: `No cluster is named: ${
      context === undefined ? "" : `the context "${context}" is wanted, but `
    }there is no --kubeconfig, no kubeconfig in the configuration file, no KUBECONFIG, no ~/.kube/config${
      context === undefined ? ` and no running local cluster "${defaultClusterName}"` : ""
    }.`,
    hint: "Pass --kubeconfig FILE, --context NAME or --cluster NAME, or start a local cluster with `modelswitch cluster up`.",
    exitCode: exitCodes.usage,
  });
}

function undefinedIfNotInstalled(error: unknown): undefined {
  if (error instanceof UserError && error.code === "local-cluster-missing") return undefined;
  throw error;
}

function missing(message: string): UserError {
  return new UserError({
    code: "kubeconfig-missing",
    message,
    hint: "Correct the path, or leave it out to use KUBECONFIG or ~/.kube/config.",
    exitCode: exitCodes.usage,
  });
}

async function pathOfLocalCluster(name: string, dependencies: KubeconfigDependencies): Promise<string> {
  const clusters = await dependencies.localClusters();
  const { cluster, state } = await clusters.status(name);
  if (cluster !== undefined && (state === "running" || state === "degraded")) return cluster.kubeconfigPath;
  const names = await clusters.list();
  const known = names.length === 0 ? "There are no local clusters." : `Local clusters: ${names.join(", ")}.`;
  throw new UserError({
    code: "cluster-absent",
    message:
      cluster === undefined
        ? `There is no local cluster "${name}"${didYouMean(name, names)}`.replace(/[^?]$/, "$&.")
        : `The local cluster "${name}" is ${state}.`,
    hint: `${known} Start it with \`modelswitch cluster up --name ${name}\`.`,
    exitCode: exitCodes.usage,
  });
}

/** Namespace of the context that a source means; `undefined` when it names none or the file cannot be read. */
export async function contextNamespace(source: KubeconfigSource): Promise<string | undefined> {
  return (await clusterOf(source))?.namespace;
}

/** The cluster that a source means; `undefined` when the file cannot be read (connecting explains that). */
export async function clusterOf(
  source: KubeconfigSource,
): Promise<{ readonly server: string | undefined; readonly namespace: string | undefined } | undefined> {
  const { chosenCluster } = await import("../kubernetes/source.ts");
  try {
    const { cluster, namespace } = chosenCluster(source);
    return { server: textOf(cluster, "server"), namespace };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
