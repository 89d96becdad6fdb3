/** The status of what a load balancer stands before, as it may come from any controller, or not at all. */
export interface LoadBalanced {
  readonly loadBalancer?: {
    readonly ingress?: readonly { readonly hostname?: string; readonly ip?: string }[];
  };
}

/** IPs or host names in a status, as the controller has published them. */
export function loadBalancerAddresses(status: LoadBalanced | undefined): string[] {
  return (status?.loadBalancer?.ingress ?? [])
    .flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
    .filter((address) => address !== "");
}
