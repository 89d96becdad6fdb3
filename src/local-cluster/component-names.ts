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
