import { exitCodes, UserError } from "../core/errors.ts";
import type { IdentityProbe } from "../core/identity.ts";
import { type BackendProtocol, type ModelServer, speaksGrpc } from "../core/model.ts";
import type { ServiceSettings } from "../core/release-contents.ts";
import type { BackendPort } from "./routers/router.ts";

/**
 * Port of a slot's Service: where the server speaks what the ingress controller is told to speak. Its name says the protocol to
 * controllers and service meshes that look at it.
 */
export function backendPort(
  protocol: BackendProtocol = "http",
  port: number,
  server: Pick<ModelServer, "httpPort" | "otherPorts">,
): BackendPort {
  const own = speaksGrpc(protocol) ? server.otherPorts.grpc : undefined;
  return { name: protocol, port, targetPort: own ?? server.httpPort };
}

/** Where a load balancer can ask for itself whether a pod takes requests; `undefined`: nothing answers it over HTTP. */
export function healthPathOf({
  http,
  readiness,
}: Pick<ModelServer, "http" | "readiness">): string | undefined {
  return http === false ? undefined : readiness.path;
}

/** What of the settings is said of a Service's spec; its selector is the slot's. */
export function serviceFields(settings: ServiceSettings | undefined): object {
  const { selector: _selector, ...fields } = (settings?.kubernetes ?? {}) as { readonly selector?: unknown };
  return fields;
}

/**
 * Refuses a switch that could not be proved: on a gRPC port of its own, nothing answers the identity's path over HTTP.
 * @throws UserError `grpc-identity-missing`
 */
export function requireGrpcIdentity(
  protocol: BackendProtocol = "http",
  server: Pick<ModelServer, "name" | "httpPort" | "http" | "otherPorts">,
  identity: IdentityProbe | undefined,
): void {
  const { grpc } = server.otherPorts;
  if (grpc === undefined || !speaksGrpc(protocol) || identity?.grpc !== undefined) return;
  throw new UserError({
    code: "grpc-identity-missing",
    message: `ingress.protocol is "${protocol}", and the model server "${server.name}" speaks gRPC on port ${grpc} and HTTP on port ${server.httpPort}; but nothing says how blue's and green's answers over gRPC are told apart.`,
    hint: 'Say it in `identity`, beside what pods answer over HTTP: grpc: { method: "inference.GRPCInferenceService/ModelMetadata", request: { "1": "MODEL" }, from: { kind: "field", path: "2" } } for the Open Inference protocol, or from: { kind: "metadata", name } for your own.',
    exitCode: exitCodes.usage,
  });
}
