import { describe, expect, test } from "vitest";
import { backendProtocol, describeServer, protocolObstacle } from "./found-server.ts";
import type { FoundContainer } from "./inventory.ts";

const ingress = (protocol?: string) => ({
  metadata: {
    name: "fraud",
    ...(protocol === undefined
      ? {}
      : { annotations: { "nginx.ingress.kubernetes.io/backend-protocol": protocol } }),
  },
});

const ports = [
  { name: "web", containerPort: 8080 },
  { name: "calls", containerPort: 9000 },
  { name: "stats", containerPort: 9090, protocol: "TCP" },
  { name: "gossip", containerPort: 7000, protocol: "UDP" },
];
const overHttp: FoundContainer = {
  ports,
  readinessProbe: { httpGet: { path: "/ready", port: "web" } },
  livenessProbe: { httpGet: { path: "/alive", port: 8080 } },
};
const overGrpc: FoundContainer = {
  ports,
  readinessProbe: { grpc: { port: 9000, service: "ready" } },
  livenessProbe: { grpc: { port: 9000 } },
};

describe("describeServer", () => {
  test("of a server that the Ingress speaks HTTP with", () => {
    expect(describeServer(overHttp, 8080, "http")).toEqual({
      port: 8080,
      otherPorts: { calls: 9000, stats: 9090 },
      http: true,
      readinessPath: "/ready",
      livenessPath: "/alive",
    });
  });

  test("of one with gRPC for clients and HTTP for probes: the Ingress's port becomes the one called grpc", () => {
    expect(describeServer(overHttp, 9000, "grpcs")).toEqual({
      port: 8080,
      otherPorts: { grpc: 9000, stats: 9090 },
      http: true,
      readinessPath: "/ready",
      livenessPath: "/alive",
    });
  });

  test("of one with both on one port", () => {
    expect(describeServer(overHttp, 8080, "grpc")).toMatchObject({
      port: 8080,
      otherPorts: { calls: 9000, stats: 9090 },
      http: true,
    });
  });

  test("no other port is called grpc", () => {
    const also: FoundContainer = { ports: [...ports, { name: "grpc", containerPort: 50051 }] };
    expect(describeServer({ ...overHttp, ...also }, 8080, "grpc").otherPorts).not.toHaveProperty("grpc");
    expect(describeServer({ ...overHttp, ...also }, 9000, "grpc").otherPorts).toMatchObject({ grpc: 9000 });
    expect(describeServer({ ...overGrpc, ...also }, 9000, "grpc").otherPorts).not.toHaveProperty("grpc");
  });

  test("of one with nothing but gRPC: its health services", () => {
    expect(describeServer(overGrpc, 9000, "grpc")).toEqual({
      port: 9000,
      otherPorts: { web: 8080, stats: 9090 },
      http: false,
      readinessService: "ready",
      livenessService: "",
    });
    expect(describeServer({}, 9000, "grpc")).toEqual({
      port: 9000,
      otherPorts: {},
      http: false,
      readinessService: undefined,
      livenessService: undefined,
    });
  });
});

test.each([
  ["GRPC", "grpc"],
  ["grpcs", "grpcs"],
  ["HTTPS", "https"],
  ["FCGI", "http"],
  [undefined, "http"],
])("the annotation %s is the protocol %s", (said, protocol) => {
  expect(backendProtocol(ingress(said))).toBe(protocol);
});

describe("protocolObstacle", () => {
  test.each([
    ["HTTP on both sides", ingress(), overHttp, 8080],
    ["gRPC on both sides", ingress("GRPC"), overGrpc, 9000],
    ["gRPC over TLS where probes ask over HTTP", ingress("GRPCS"), overHttp, 9000],
    ["no probe at all", ingress(), {}, 8080],
    ["a gRPC probe of another port", ingress(), overGrpc, 8080],
  ])("there is none with %s", (_what, found, container, port) => {
    expect(protocolObstacle(found, container, port)).toBeUndefined();
  });

  test.each([
    ["gRPC over TLS that cannot be probed", ingress("GRPCS"), "gRPC probes cannot speak TLS"],
    ["gRPC that the Ingress does not say", ingress(), "does not say GRPC"],
  ])("names %s", (_what, found, reason) => {
    expect(protocolObstacle(found, overGrpc, 9000)?.reason).toContain(reason);
  });
});
