import type { EventSink } from "../core/events.ts";
import type { ImageStore } from "../images/store-names.ts";

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

/** What `src/local-cluster/index.ts` exports. */
export interface LocalClusters {
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
