import type { ToolName } from "./tool.ts";

/** The versions that modelswitch is tested with. Everything else about a version follows from this file. */
export const versions = {
  pulumi: "v3.259.0",
  /** The newest that is published as a Go module, under a pseudo-version; what is downloaded is `kubernetesProviderVersion` of the engine. */
  kubernetesProvider: "v4.25.0",
  kubernetes: "v1.36.3",
  etcd: "v3.7.3",
  traefik: "v3.7.15",
  containerd: "v2.4.2",
  addons: "coredns-1.14.3,metrics-server-0.9.0",
} as const;

/**
 * What `cluster up --kubernetes-version` offers: one patch release per minor version, with the folder below `go/kubernetes`
 * that holds the `go.mod` and `go.sum` it is built with where no release can be downloaded.
 */
export const kubernetesVersions = [
  { version: versions.kubernetes, modules: "." },
  { version: "v1.35.4", modules: "v1.35" },
] as const satisfies readonly { readonly version: string; readonly modules: string }[];

/** SHA-256 of what has no signature of its own and no list of checksums in this package: wheels, by platform. */
export const traefikWheels: Readonly<Record<string, string>> = {
  "linux-x64": "1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34",
  "linux-arm64": "cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d",
};

/**
 * Raised when the same version must be obtained anew, because how it is built or laid out in the cache has changed.
 */
export const revisions: Readonly<Record<ToolName, number>> = {
  pulumi: 1,
  "kubernetes-provider": 1,
  kubernetes: 1,
  etcd: 1,
  addons: 1,
  traefik: 1,
  containerd: 1,
  buildah: 1,
  mmdebstrap: 1,
};

/** What is accepted from PATH: the same major version, and at least this. */
export const oldestOnPath = {
  pulumi: "3.200.0",
  traefik: "3.7.0",
  containerd: "2.1.0",
  buildah: "1.28.0",
  mmdebstrap: "1.3.0",
} as const;
