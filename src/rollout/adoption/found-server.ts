import { type BackendProtocol, speaksGrpc } from "../../core/model.ts";
import type { FoundContainer, FoundIngress, FoundProbe } from "./inventory.ts";
import type { Obstacle } from "./owners.ts";

/** Options of `custom({...})` that say what later releases need. */
export type DescribedServer = {
  readonly port: number;
  readonly otherPorts: Readonly<Record<string, number>>;
} & (
  | { readonly http: true; readonly readinessPath: string; readonly livenessPath: string | undefined }
  | {
      readonly http: false;
      readonly readinessService: string | undefined;
      readonly livenessService: string | undefined;
    }
);

export const protocolAnnotation = "nginx.ingress.kubernetes.io/backend-protocol";

const protocols: Readonly<Record<string, BackendProtocol>> = { HTTPS: "https", GRPC: "grpc", GRPCS: "grpcs" };

/** What the controller was told to speak with the pods. */
export function backendProtocol({ metadata }: FoundIngress): BackendProtocol {
  return protocols[metadata?.annotations?.[protocolAnnotation]?.toUpperCase() ?? ""] ?? "http";
}

/** The model server in the container, as its probes tell of it; `port` is where the Ingress leads. Pure. */
export function describeServer(
  container: FoundContainer,
  port: number,
  protocol: BackendProtocol,
): DescribedServer {
  const { readinessProbe, livenessProbe } = container;
  const paths = {
    http: true,
    readinessPath: readinessProbe?.httpGet?.path ?? "/",
    livenessPath: livenessProbe?.httpGet?.path,
  } as const;
  if (!speaksGrpc(protocol)) return { port, otherPorts: otherPorts(container, [port]), ...paths };
  const http = httpPort(container);
  // A port called grpc is where the Ingress leads: no other may have that name.
  const { grpc: _other, ...others } = otherPorts(container, [port, http ?? port]);
  if (http !== undefined) {
    return { port: http, otherPorts: http === port ? others : { ...others, grpc: port }, ...paths };
  }
  return {
    port,
    otherPorts: others,
    http: false,
    readinessService: readinessProbe?.grpc?.service,
    livenessService: livenessProbe?.grpc && (livenessProbe.grpc.service ?? ""),
  };
}

/** Why later releases could not speak as the pods do that were found. Pure. */
export function protocolObstacle(
  ingress: FoundIngress,
  container: FoundContainer,
  port: number,
): Obstacle | undefined {
  if (httpPort(container) !== undefined) return undefined;
  const name = ingress.metadata?.name ?? "";
  const protocol = backendProtocol(ingress);
  if (protocol === "grpcs") {
    return {
      reason: `the Ingress ${name} speaks gRPC over TLS with pods that no probe asks over HTTP, and Kubernetes' gRPC probes cannot speak TLS`,
      remedy: `let the pods' readiness probe ask over HTTP, or speak gRPC without TLS (${protocolAnnotation}: GRPC)`,
    };
  }
  if (protocol === "grpc" || container.readinessProbe?.grpc?.port !== port) return undefined;
  return {
    reason: `the pods' only probes ask over gRPC on port ${port}, where the Ingress ${name} leads, and its annotation ${protocolAnnotation} does not say GRPC`,
    remedy:
      "set it, if clients call over gRPC and the controller of its class reads it (with others modelswitch does not know how gRPC is told); if they call over HTTP, let the readiness probe ask over HTTP, too",
  };
}

/** Where the probes ask over HTTP; `undefined`: nowhere. */
function httpPort({ ports = [], readinessProbe, livenessProbe, startupProbe }: FoundContainer) {
  const asked = [readinessProbe, livenessProbe, startupProbe as FoundProbe | undefined]
    .map((probe) => probe?.httpGet?.port)
    .find((port) => port !== undefined);
  return typeof asked === "string" ? ports.find(({ name }) => name === asked)?.containerPort : asked;
}

function otherPorts({ ports = [] }: FoundContainer, said: readonly number[]): Record<string, number> {
  return Object.fromEntries(
    ports.flatMap(({ name, containerPort, protocol = "TCP" }) =>
      name === undefined || name === "http" || containerPort === undefined || said.includes(containerPort)
        ? []
        : protocol === "TCP"
          ? [[name, containerPort]]
          : [],
    ),
  );
}
