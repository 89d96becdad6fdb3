import type * as k8s from "@pulumi/kubernetes";
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
