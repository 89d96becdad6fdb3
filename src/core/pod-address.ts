import type { BackendProtocol, ModelServer } from "./model.ts";

/** What a pod is asked in over its port for HTTP. */
export type PodScheme = "http" | "https";

/**
 * Whether the model server's port for HTTP takes TLS: it does where the ingress controller is told to send TLS to just that port. A gRPC port
 * of its own says nothing of the one for HTTP.
 */
export function podScheme(
  protocol: BackendProtocol | undefined,
  { otherPorts }: Pick<ModelServer, "otherPorts">,
): PodScheme {
  return protocol === "https" || (protocol === "grpcs" && otherPorts.grpc === undefined) ? "https" : "http";
}

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly scheme: PodScheme;
}

/** Where the API server passes a request on to one pod. It accepts any certificate, as an ingress controller does by default. */
export function podProxyPath({ namespace, pod, port, scheme }: PodPort, path: string): string {
  const target = scheme === "https" ? `https:${pod}:${port}` : `${pod}:${port}`;
  return `/api/v1/namespaces/${namespace}/pods/${target}/proxy${path}`;
}
