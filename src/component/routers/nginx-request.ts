import type { IngressSpec } from "../../core/model.ts";
import { quantityValue } from "../../core/quantity.ts";

export const nginxPrefix = "nginx.ingress.kubernetes.io";

/**
 * Time-out, size and protocol of requests in the dialect of ingress-nginx. Traefik counts a request's size only where it buffers
 * requests, which ingress-nginx does by default and Traefik does not: so that is said as well.
 */
export function requestAnnotations({
  timeout,
  maxBodySize,
  protocol,
}: Pick<IngressSpec, "timeout" | "maxBodySize" | "protocol">): Record<string, string> {
  const named: Record<string, string> = {};
  if (timeout !== undefined) {
    named["proxy-read-timeout"] = String(timeout);
    named["proxy-send-timeout"] = String(timeout);
  }
  if (maxBodySize === "unlimited") named["proxy-body-size"] = "0";
  else if (maxBodySize !== undefined) {
    named["proxy-body-size"] = String(Math.floor(quantityValue(maxBodySize) ?? 0));
    named["proxy-request-buffering"] = "on";
  }
  if (protocol !== undefined && protocol !== "http") named["backend-protocol"] = protocol.toUpperCase();
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [`${nginxPrefix}/${name}`, value]));
}
