import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { exitCodes, UserError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import type { LocalClusters } from "../local-cluster/cluster.ts";
import type { GlobalOptions } from "./command.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Name of the local cluster that is used when nothing else is named. */
export const defaultClusterName = "default";

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
 * Which cluster a command means: the options, then the configuration file, then KUBECONFIG or ~/.kube/config, then
 * the running local cluster `default`.
 * @throws UserError `kubeconfig-conflict`, `kubeconfig-missing`, `cluster-absent`, `cluster-not-chosen` (exit code 2)
 */
export async function resolveKubeconfig(
  globals: Pick<GlobalOptions, "folder" | "kubeconfigPath" | "context" | "cluster" | "given">,
  env: Env,
  configured: ConfiguredCluster = {},
  dependencies: KubeconfigDependencies = realDependencies(env),
): Promise<KubeconfigSource> {
  const context = globals.context ?? configured.context;
  const withContext = (path: string | undefined): KubeconfigSource => ({
    ...(path === undefined ? {} : { path }),
    ...(context === undefined ? {} : { context }),
  });
  const mustExist = (path: string, origin: string): KubeconfigSource => {
    if (dependencies.exists(path)) return withContext(path);
    throw new UserError({
      code: "kubeconfig-missing",
      message: `The kubeconfig ${path} (${origin}) does not exist.`,
      hint: "Correct the path, or leave it out to use KUBECONFIG or ~/.kube/config.",
      exitCode: exitCodes.usage,
    });
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

  const fromEnv = (env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  const present = fromEnv.filter((path) => dependencies.exists(path));
  if (present.length === 1) return withContext(present[0]);
  // Several files are merged by the Kubernetes client, which reads KUBECONFIG itself.
  if (present.length > 1) return withContext(undefined);
  if (fromEnv.length > 0) return mustExist(fromEnv[0] ?? "", "KUBECONFIG");

  const home = env.HOME ?? env.USERPROFILE;
  const usual = home === undefined ? undefined : join(home, ".kube", "config");
  if (usual !== undefined && dependencies.exists(usual)) return withContext(usual);
  if (
    env.KUBERNETES_SERVICE_HOST !== undefined &&
    dependencies.exists("/var/run/secrets/kubernetes.io/serviceaccount/token")
  ) {
    return withContext(undefined);
  }
  if (context === undefined) {
    const local = await dependencies.localClusters().then((clusters) => clusters.status(defaultClusterName));
    if (local.cluster !== undefined && (local.state === "running" || local.state === "degraded")) {
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

/**
 * The cluster that a source means, read without the Kubernetes client, which takes half a second to load. `undefined` when
 * the file cannot be read (connecting explains that).
 */
export async function clusterOf(
  source: KubeconfigSource,
): Promise<{ readonly server: string | undefined; readonly namespace: string | undefined } | undefined> {
  if (source.path === undefined && source.contents === undefined) {
    const { connect } = await import("../kubernetes/connect.ts");
    const { api, namespace } = connect(source);
    return { server: api.server, namespace };
  }
  const { parse } = await import("yaml");
  try {
    const text = source.contents ?? readFileSync(source.path ?? "", "utf8");
    const config = parse(text) as {
      readonly "current-context"?: string;
      readonly contexts?: readonly {
        readonly name?: string;
        readonly context?: { readonly namespace?: string; readonly cluster?: string };
      }[];
      readonly clusters?: readonly {
        readonly name?: string;
        readonly cluster?: { readonly server?: string };
      }[];
    };
    const wanted = source.context ?? config["current-context"];
    const context = config.contexts?.find((entry) => entry.name === wanted)?.context;
    const cluster = config.clusters?.find((entry) => entry.name === context?.cluster)?.cluster;
    return { server: cluster?.server, namespace: context?.namespace };
  } catch {
    return undefined;
  }
}
