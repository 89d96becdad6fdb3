import type { EventSink } from "./events.ts";

/** The Kubernetes versions that a local cluster is offered in: one patch release per minor version, the newest first. */
export const kubernetesVersions = ["v1.36.3", "v1.35.4"] as const;
export type KubernetesVersion = (typeof kubernetesVersions)[number];

/** Name of the local cluster that is used when nothing else is named. */
export const defaultClusterName = "default";

/** The long-running programs of a cluster, in the order in which they depend on each other. */
export const componentNames = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "containerd",
  "kubelet",
  "kube-proxy",
  "traefik",
  "coredns",
  "metrics-server",
  "local-path-provisioner",
] as const;
export type ComponentName = (typeof componentNames)[number];

/** Those that a cluster can do without. */
export const addonNames = [
  "coredns",
  "metrics-server",
  "local-path-provisioner",
] as const satisfies readonly ComponentName[];

/** Programs that keep images on this machine, in the order in which they are asked. */
export const imageStores = ["docker", "podman", "buildah"] as const;
export type ImageStore = (typeof imageStores)[number];

/** What is known of a local cluster; stored as JSON in its state folder. */
export interface LocalCluster {
  readonly name: string;
  /** Kubernetes version, for example `v1.36.3`. */
  readonly version: string;
  readonly kubeconfigPath: string;
  /** kubectl of the same version. */
  readonly kubectlPath: string;
  /** Where the ingress controller listens, for example `http://127.0.0.1:8080`. */
  readonly ingressUrl: string;
}

export type ComponentHealth =
  | {
      readonly component: string;
      readonly state: "running";
      readonly pid: number;
      readonly residentBytes: number;
    }
  | { readonly component: string; readonly state: "stopped"; readonly reason: string };

export interface LocalClusterStatus {
  readonly cluster: LocalCluster | undefined;
  readonly state: "absent" | "running" | "degraded" | "stopped";
  readonly components: readonly ComponentHealth[];
}

export interface LocalClusterOptions {
  /** @default default */
  readonly name: string;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

export interface ClusterUpOptions extends LocalClusterOptions {
  /** One of the versions offered, for example `1.35` or `v1.35.4`. @default what the cluster runs already, else the newest */
  readonly kubernetesVersion?: string;
  /** Whether it has DNS, a storage class and metrics. @default what the cluster has already, else true */
  readonly addons?: boolean;
}

export interface ImageRequest {
  /** As the program names it, for example `fraud:1.5`. */
  readonly image: string;
  /** @default the first of them that has the image */
  readonly from?: ImageStore;
  readonly signal: AbortSignal;
}

export interface LoadedImage {
  readonly from: ImageStore;
  readonly images: readonly string[];
}

export interface BuildImageRequest {
  /** The Containerfile (or Dockerfile). */
  readonly containerfile: string;
  /** Folder that it may copy from. */
  readonly contextFolder: string;
  /** Name of the image, for example `fraud:1.5`. */
  readonly tag: string;
  /** Values of its ARGs. @default none */
  readonly buildArguments?: Readonly<Record<string, string>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

export interface BuiltImage {
  /** The name in full, as Kubernetes reads short ones. */
  readonly name: string;
  /** OCI archive with the image, named by its tag. */
  readonly archivePath: string;
  readonly digest: string;
  /** Whether the same inputs had been built before. */
  readonly cached: boolean;
  /** Base images that were replaced, with the Debian release that stands in for each. */
  readonly standIns: Readonly<Record<string, string>>;
}

/** Whether local clusters run on this machine. */
export interface LocalClusterHost {
  readonly platform: string;
  readonly userId: number | undefined;
  /** Why not. */
  readonly refusal: { readonly message: string; readonly hint: string | undefined } | undefined;
}

/** What the package `@modelswitch/local-cluster` exports. */
export interface LocalClusterPackage {
  localClusters(options: { readonly env: Readonly<Record<string, string | undefined>> }): LocalClusters;
}

/** The local clusters of this user. */
export interface LocalClusters {
  /** Whether they run on this machine at all. */
  host(): LocalClusterHost;
  /**
   * Builds an image of a Containerfile, without Docker and registry.
   * @throws UserError `image-build-failed`, …
   */
  buildImage(request: BuildImageRequest): Promise<BuiltImage>;
  /** Starts the cluster or repairs what is stopped; returns once the node is Ready, and an Ingress would be served. */
  up(options: ClusterUpOptions): Promise<LocalCluster>;
  /** Stops everything and removes all of it: processes, mounts, namespaces, links, cgroups, state. */
  down(options: LocalClusterOptions): Promise<void>;
  status(name: string): Promise<LocalClusterStatus>;
  /** Imports an OCI archive into the node's container store (namespace k8s.io). Returns the image names in it. */
  loadImage(name: string, archivePath: string, signal: AbortSignal): Promise<string[]>;
  /**
   * Imports an image that docker, podman or buildah on this machine has. Returns its names in the cluster.
   * @throws UserError `image-not-found`, `image-store-missing`
   */
  loadImageFrom(name: string, request: ImageRequest): Promise<LoadedImage>;
  /** Path of a component's log; the file may not be there yet. */
  log(name: string, component: string): Promise<string>;
  list(): Promise<string[]>;
}

/** Annotation on the IngressClass that says where the controller listens, for controllers that are not on port 80. */
export const ingressEndpointAnnotation = "modelswitch.dev/ingress-endpoint";

/**
 * Annotation on the IngressClass that says where each replica of the controller shows what it counts: addresses, separated by commas, for
 * example `http://10.0.0.7:9100/metrics`.
 */
export const ingressMetricsAnnotation = "modelswitch.dev/ingress-metrics";
