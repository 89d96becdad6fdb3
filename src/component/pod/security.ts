import type * as k8s from "@pulumi/kubernetes";

type SecurityContext = k8s.types.input.core.v1.SecurityContext;
type PodSecurityContext = k8s.types.input.core.v1.PodSecurityContext;

/**
 * Nothing here can break an ordinary image; running as root is the image's choice, so `runAsNonRoot` is the user's to say: the kubelet
 * refuses images with it whose user is a name. What the user says wins, key by key.
 */
export function containerSecurity(given: object | undefined, ports: readonly number[]): SecurityContext {
  const privilegedPort = ports.some((port) => port < 1024);
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"], ...(privilegedPort ? { add: ["NET_BIND_SERVICE"] } : {}) },
    ...given,
  };
}

/** The container runtime's own list of system calls, which every image that runs in Docker can do with. */
export function podSecurity(given: object | undefined): PodSecurityContext {
  return { seccompProfile: { type: "RuntimeDefault" }, ...given };
}
