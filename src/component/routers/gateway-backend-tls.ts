import type { ObjectNames } from "../../core/names.ts";
import type { ObjectKind } from "../../core/object-kind.ts";
import { slots } from "../../core/slots.ts";
import type { Groundless, Look } from "./router.ts";

/**
 * A Gateway speaks TLS with pods by a BackendTLSPolicy, which says whose certificates they may have. It never changes with traffic, and whom to trust
 * is not the model's to say: it is somebody else's like the Gateway, and has the name of the route.
 */
export const backendTlsKind: ObjectKind = {
  group: "gateway.networking.k8s.io",
  version: "v1",
  kind: "BackendTLSPolicy",
  plural: "backendtlspolicies",
};

interface PolicySpec {
  readonly targetRefs?: readonly {
    readonly group?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly sectionName?: string;
  }[];
}

interface PolicyStatus {
  readonly ancestors?: readonly {
    readonly conditions?: readonly {
      readonly type?: string;
      readonly status?: string;
      readonly message?: string;
    }[];
  }[];
}

/** Whether there is a policy for the Services of both slots: with one of them left out, that slot would be spoken to without TLS. */
export async function backendTlsGround(
  { namespace, names }: { readonly namespace: string; readonly names: ObjectNames },
  look: Look,
): Promise<Groundless | undefined> {
  const where = `${namespace}/${names.ingress}`;
  const services = slots.map((slot) => names.service[slot]);
  const found = await look(backendTlsKind, names.ingress, namespace);
  if (found === "unseen") {
    return {
      code: "backend-tls-unseen",
      message: `ingress.protocol is "https", and this account may not look whether there is a BackendTLSPolicy ${where}: without one the Gateway speaks no TLS with the pods.`,
      hint: "Let it read backendtlspolicies (docs/security.md).",
    };
  }
  if (found === undefined) {
    return {
      code: "backend-tls-missing",
      message: `ingress.protocol is "https", and there is no BackendTLSPolicy ${where}: without one the Gateway speaks no TLS with the pods.`,
      hint: `Make it for the Services ${services.join(" and ")}, with validation.hostname and the CA that signed the pods' certificates (docs/routers/gateway-api.md).`,
    };
  }
  const { targetRefs = [] } = (found.spec ?? {}) as PolicySpec;
  // A section is a port by its name; whether it is the one that is asked depends on the Service.
  const meant = targetRefs.filter(
    ({ group = "", kind, sectionName }) =>
      group === "" && kind === "Service" && (sectionName === undefined || sectionName === "http"),
  );
  const missing = services.filter((service) => !meant.some(({ name }) => name === service));
  if (missing.length > 0) {
    return {
      code: "backend-tls-incomplete",
      message: `The BackendTLSPolicy ${where} does not name the Service ${missing.join(" and ")} in targetRefs: the Gateway would speak no TLS with that slot.`,
      hint: `It has to name both, ${services.join(" and ")}, with kind Service and group "".`,
    };
  }
  const { ancestors = [] } = (found.status ?? {}) as PolicyStatus;
  const refused = ancestors
    .flatMap(({ conditions = [] }) => conditions)
    .find(({ type, status }) => type === "Accepted" && status === "False");
  if (refused === undefined) return undefined;
  return {
    code: "backend-tls-refused",
    message: `The controller does not take the BackendTLSPolicy ${where}: ${refused.message ?? "it does not say why"}`,
    hint: "Correct the policy: its hostname, and the ConfigMap with the key ca.crt that caCertificateRefs names.",
  };
}
