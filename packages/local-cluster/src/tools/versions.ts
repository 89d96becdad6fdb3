import { kubernetesVersions } from "../../../../src/support.ts";

/** The versions that a local cluster is tested with. Everything else about a version follows from this file. */
export const versions = {
  kubernetes: kubernetesVersions[0],
  etcd: "v3.7.3",
  traefik: "v3.7.15",
  containerd: "v2.4.2",
  addons: "coredns-1.14.3,metrics-server-0.9.0",
} as const;

/** Folders below `go/kubernetes` with the `go.mod` and `go.sum` that each is built with where no release can be downloaded. */
export const kubernetesModules: Readonly<Record<(typeof kubernetesVersions)[number], string>> = {
  "v1.36.3": ".",
  "v1.35.4": "v1.35",
};

/** SHA-256 of what has no signature of its own and no list of checksums in this package: wheels, by platform. */
export const traefikWheels: Readonly<Record<string, string>> = {
  "linux-x64": "1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34",
  "linux-arm64": "cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d",
};

/** What is accepted from PATH: the same major version, and at least this. */
export const oldestOnPath = {
  traefik: "3.7.0",
  containerd: "2.1.0",
  buildah: "1.28.0",
  mmdebstrap: "1.3.0",
} as const;
