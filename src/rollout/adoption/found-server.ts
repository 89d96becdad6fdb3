import { custom } from "../../component/servers/custom.ts";
import { type BackendProtocol, type ModelServer, speaksGrpc } from "../../core/model.ts";
import type { Obstacle } from "../program/object-owners.ts";
import type { FoundContainer, FoundIngress, FoundProbe } from "./inventory.ts";

/** Options of `custom({...})` that say what later releases need. */
export type DescribedServer = {
  readonly port: number;
  readonly otherPorts: Readonly<Record<string, number>>;
} & (
  | {
      readonly http: true;
      /** `undefined`: no probe asks the port that requests go to. */
      readonly readinessPath: string | undefined;
      readonly livenessPath: string | undefined;
    }
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
  // A probe on a port of its own is said as Kubernetes has it: modelswitch asks where requests go.
  const pathAt = (probe: FoundProbe | undefined, at: number) =>
    probe?.httpGet === undefined || portNumber(container, probe.httpGet.port) !== at
      ? undefined
      : (probe.httpGet.path ?? "/");
  const paths = (at: number) =>
    ({
      http: true,
      readinessPath: pathAt(readinessProbe, at),
      livenessPath: pathAt(livenessProbe, at),
    }) as const;
  if (!speaksGrpc(protocol)) return { port, otherPorts: otherPorts(container, [port]), ...paths(port) };
  const http = httpPort(container);
  // A port called grpc is where the Ingress leads: no other may have that name.
  const { grpc: _other, ...others } = otherPorts(container, [port, http ?? port]);
  if (http !== undefined) {
    return { port: http, otherPorts: http === port ? others : { ...others, grpc: port }, ...paths(http) };
  }
  return {
    port,
    otherPorts: others,
    http: false,
    readinessService: serviceAt(readinessProbe, port),
    livenessService: serviceAt(livenessProbe, port, ""),
  };
}

function serviceAt(probe: FoundProbe | undefined, port: number, whole?: string): string | undefined {
  if (probe?.grpc === undefined || probe.grpc.port !== port) return undefined;
  return probe.grpc.service ?? whole;
}

/** The model server that the description makes, as far as its pods are concerned. Pure. */
export function serverAsFound(described: DescribedServer, model: string): ModelServer {
  const { port, otherPorts } = described;
  const given = <K extends string, T>(key: K, value: T | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { readonly [k in K]?: T };
  if (!described.http) {
    return custom({
      port,
      otherPorts,
      grpcOnly: { method: `${model}/Any`, from: { kind: "metadata", name: "any" } },
      ...given("readinessService", described.readinessService),
      ...given("livenessService", described.livenessService),
    });
  }
  return custom({
    port,
    otherPorts,
    ...given("readinessPath", described.readinessPath),
    ...given("livenessPath", described.livenessPath),
  });
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
  return portNumber({ ports }, asked);
}

function portNumber(
  { ports = [] }: Pick<FoundContainer, "ports">,
  port: number | string | undefined,
): number | undefined {
  return typeof port === "string" ? ports.find(({ name }) => name === port)?.containerPort : port;
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
