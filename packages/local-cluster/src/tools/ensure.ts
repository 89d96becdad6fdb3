import { type EnsureToolOptions, ensureRecipe, type Recipe, type Tool } from "../../../../src/support.ts";
import { addons } from "./addons.ts";
import { buildah } from "./buildah.ts";
import { containerd } from "./containerd.ts";
import { etcd } from "./etcd.ts";
import { kubernetes, kubernetesOf } from "./kubernetes.ts";
import { mmdebstrap } from "./mmdebstrap.ts";
import { traefik } from "./traefik.ts";

/** Every tool that only a local cluster needs. */
export const clusterRecipes = {
  addons,
  buildah,
  containerd,
  etcd,
  kubernetes,
  mmdebstrap,
  traefik,
} satisfies Record<string, Recipe>;

/**
 * `kubernetes` has kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy and kubectl; `containerd` has
 * containerd, containerd-shim-runc-v2, ctr, runc, iptables, nft, conntrack, ip, and the folder `cni` of CNI plug-ins; `addons` has coredns, metrics-server and
 * local-path-provisioner.
 */
export type ClusterToolName = keyof typeof clusterRecipes;

export interface EnsureClusterToolOptions extends EnsureToolOptions {
  /** One of `kubernetesVersions`; only `kubernetes` comes in several. @default the one that is tested with most */
  readonly version?: string;
}

/** As `ensureTool` of modelswitch, for the tools of a local cluster. */
export type EnsureClusterTool = (name: ClusterToolName, options: EnsureClusterToolOptions) => Promise<Tool>;

/** See `EnsureClusterTool`. */
export const ensureClusterTool: EnsureClusterTool = (name, { version, ...options }) =>
  ensureRecipe(
    name === "kubernetes" && version !== undefined ? kubernetesOf(version) : clusterRecipes[name],
    options,
  );
