import type { GatewayRef } from "../../core/model.ts";
import type { ObjectKind } from "../../core/object-kind.ts";
import type { Groundless, Look } from "./router.ts";

/** What is read of Istio's own Gateway, which is somebody else's. */

export const istioGatewayKind: ObjectKind = {
  group: "networking.istio.io",
  version: "v1",
  kind: "Gateway",
  plural: "gateways",
};

interface GatewaySpec {
  readonly servers?: readonly { readonly hosts?: readonly string[] }[];
}

/** Whether the Gateway is there, and has the model's hosts. What may not be looked at is taken to be right. */
export async function istioGround(
  gateway: GatewayRef,
  about: { readonly hosts: readonly string[]; readonly namespace: string },
  look: Look,
): Promise<Groundless | undefined> {
  const namespace = gateway.namespace ?? about.namespace;
  const where = `${namespace}/${gateway.name}`;
  const found = await look(istioGatewayKind, gateway.name, namespace);
  if (found === "unseen") return undefined;
  if (found === undefined) {
    return {
      code: "gateway-missing",
      message: `There is no Gateway ${where} of Istio (networking.istio.io), which ingress.gateway names.`,
      hint: "Correct ingress.gateway, or have the Gateway made. For one of the Gateway API (gateway.networking.k8s.io) there is the router gateway-api.",
    };
  }
  const served = ((found.spec as GatewaySpec | undefined)?.servers ?? []).flatMap(({ hosts = [] }) => hosts);
  const missing = about.hosts.filter(
    (host) => !served.some((pattern) => takes(pattern, host, { ...about, gatewayNamespace: namespace })),
  );
  if (missing.length === 0) return undefined;
  return {
    code: "gateway-lacks-host",
    message: `No server of the Gateway ${where} takes ${missing.join(", ")} from the namespace ${about.namespace}: its hosts are ${served.join(", ") || "none"}.`,
    hint: "Add the host to a server of the Gateway, or name another Gateway in ingress.gateway.",
  };
}

/** Hosts of a server may say which namespaces' VirtualServices they are for: `NAMESPACE/HOST`, `./HOST` of its own, any with an asterisk. */
function takes(
  pattern: string,
  host: string,
  about: { readonly namespace: string; readonly gatewayNamespace: string },
): boolean {
  const [first = "", ...rest] = pattern.split("/");
  const [whose, wanted] = rest.length === 0 ? ["*", first] : [first, rest.join("/")];
  const isOurs = whose === "*" || about.namespace === (whose === "." ? about.gatewayNamespace : whose);
  if (!isOurs) return false;
  return overlap(wanted, host);
}

/** Whether some host fits both: what a VirtualService has beyond its Gateway is left out. */
function overlap(one: string, other: string): boolean {
  const [a, b] = [one.replace(/^\*/, ""), other.replace(/^\*/, "")];
  return one === other || (one.startsWith("*") && b.endsWith(a)) || (other.startsWith("*") && a.endsWith(b));
}
