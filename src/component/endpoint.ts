/** The status of an Ingress as it may come from any controller, or not at all. */
export interface IngressStatus {
  readonly loadBalancer?: {
    readonly ingress?: readonly { readonly hostname?: string; readonly ip?: string }[];
  };
}

/** Where an Ingress is reached: its hostname, else its IP address, else nothing yet. */
export function endpointOf(status: IngressStatus | undefined | null): string | undefined {
  const addresses = status?.loadBalancer?.ingress ?? [];
  const hostname = addresses.find((address) => address.hostname)?.hostname;
  return hostname ?? (addresses.find((address) => address.ip)?.ip || undefined);
}
