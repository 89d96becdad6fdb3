import type * as k8s from "@pulumi/kubernetes";
import { exitCodes, UserError } from "../core/errors.ts";
import type { BackendProtocol, ModelServer } from "../core/model.ts";

type ServicePort = k8s.types.input.core.v1.ServicePort;

/** Port of a slot's Service. Its name says the protocol to controllers and service meshes that look at it. */
export function backendPort(
  protocol: BackendProtocol = "http",
  port: number,
  server: Pick<ModelServer, "httpPort">,
): ServicePort {
  return { name: protocol === "http" ? "http" : protocol, port, targetPort: server.httpPort };
}

/**
 * Refuses gRPC for a server that speaks it on a port of its own: the proof at the ingress asks over HTTP, on the port that requests go
 * to, and could never tell the slots apart there.
 * @throws UserError `grpc-port-separate`
 */
export function requireOnePort(
  protocol: BackendProtocol = "http",
  server: Pick<ModelServer, "name" | "httpPort" | "otherPorts">,
): void {
  const { grpc } = server.otherPorts;
  if (grpc === undefined || (protocol !== "grpc" && protocol !== "grpcs")) return;
  throw new UserError({
    code: "grpc-port-separate",
    message: `ingress.protocol is "${protocol}", but the model server "${server.name}" speaks gRPC on port ${grpc} and HTTP on port ${server.httpPort}: what is behind the Ingress must answer both, since the proof of a switch asks over HTTP.`,
    hint: "Leave ingress.protocol out, and so that requests go over HTTP; or use a server with both on one port.",
    exitCode: exitCodes.usage,
  });
}
