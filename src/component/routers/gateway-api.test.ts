import { describe, expect, test } from "vitest";
import type { IngressSpec } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { settledOn } from "../../core/routing.ts";
import { gatewayApi } from "./gateway-api.ts";
import type { ObservedObject, RouterInput } from "./router.ts";

const ingress: IngressSpec = {
  host: "ml.example.com",
  gateway: { name: "edge", namespace: "gateways", sectionName: "web" },
};
const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: settledOn("green"),
  ingress,
  previewHeader: "X-Preview",
  servicePort: 80,
};

describe("the router gateway-api", () => {
  test("names both slots at all times, and never weighs all of them 0", () => {
    const [route] = gatewayApi.objects(input);
    const matches = (header?: object) => [
      { path: { type: "PathPrefix", value: "/" }, ...(header === undefined ? {} : { headers: [header] }) },
    ];
    expect(route).toMatchObject({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "fraud", annotations: { "modelswitch.dev/main": "green" } },
    });
    expect(route?.spec).toEqual({
      parentRefs: [{ name: "edge", namespace: "gateways", sectionName: "web" }],
      hostnames: ["ml.example.com"],
      rules: [
        {
          matches: matches({ type: "Exact", name: "X-Preview", value: "blue" }),
          backendRefs: [{ name: "fraud-blue", port: 80 }],
        },
        {
          matches: matches({ type: "Exact", name: "X-Preview", value: "green" }),
          backendRefs: [{ name: "fraud-green", port: 80 }],
        },
        {
          matches: matches(),
          backendRefs: [
            { name: "fraud-blue", port: 80, weight: 0 },
            { name: "fraud-green", port: 80, weight: 100 },
          ],
        },
      ],
    });
  });

  test("is refused what an HTTPRoute cannot say, and a route without a Gateway", () => {
    const refused = (changes: Partial<IngressSpec>) => () =>
      gatewayApi.objects({ ...input, ingress: { ...ingress, ...changes } });
    const unsupported = expect.objectContaining({ code: "routing-unsupported" });
    expect(refused({ also: [{ host: "b.example.com", path: "/b" }] })).toThrow(unsupported);
    expect(refused({ path: "/a", pathType: "ImplementationSpecific" })).toThrow(unsupported);
    expect(() => gatewayApi.objects({ ...input, ingress: { host: "h" } })).toThrow(
      expect.objectContaining({ code: "gateway-missing" }),
    );
    expect(refused({ also: [{ host: "b.example.com" }] })).not.toThrow();
  });

  test("finds where clients connect at its Gateway", () => {
    const [route = {}] = gatewayApi.objects(input);
    expect(gatewayApi.addressedBy?.(route)).toMatchObject({ name: "edge", namespace: "gateways" });
    const listeners = [
      { name: "secure", protocol: "HTTPS", port: 443 },
      { name: "web", protocol: "HTTP", port: 8080 },
    ];
    const gateway = { spec: { listeners }, status: { addresses: [{ value: "203.0.113.7" }] } };
    expect(gatewayApi.front(route, gateway)).toMatchObject({
      name: "fraud",
      addresses: ["203.0.113.7"],
      port: 8080,
      tlsHosts: [],
    });
    expect(gatewayApi.front(route)).toMatchObject({ addresses: [] });
  });

  test("connects to the listener that has its host, not to the first one", () => {
    const { gateway: { namespace = "" } = {}, ...rest } = ingress;
    const [route = {}] = gatewayApi.objects({
      ...input,
      ingress: { ...rest, gateway: { name: "edge", namespace } },
    });
    const listeners = [
      { name: "postgres", protocol: "TCP", port: 5432 },
      { name: "internal", protocol: "HTTP", port: 8080, hostname: "*.internal.example.org" },
      { name: "secure", protocol: "HTTPS", port: 8443, hostname: "*.example.com" },
    ];
    const front = (all: readonly object[]) => gatewayApi.front(route, { spec: { listeners: all } });
    expect(front(listeners)).toMatchObject({ port: 8443, tlsHosts: ["*"] });
    const web = { name: "web", protocol: "HTTP", port: 80, hostname: "ml.example.com" };
    expect(front([...listeners, web])).toMatchObject({ port: 80, tlsHosts: [] });
    expect(front(listeners.slice(0, 2))).toMatchObject({ port: 8080 });
  });
});

describe("what a route stands on", () => {
  const accepted = { status: { conditions: [{ type: "Accepted", status: "True" }] } };
  const gateway = (listener: object = {}): ObservedObject => ({
    spec: {
      gatewayClassName: "class",
      listeners: [
        {
          name: "web",
          protocol: "HTTP",
          port: 80,
          allowedRoutes: { namespaces: { from: "All" } },
          ...listener,
        },
      ],
    },
  });
  const found = async (world: Readonly<Record<string, ObservedObject | "unseen">>, https = false) =>
    await gatewayApi.ground?.(
      { ingress, namespace: "ml", names: objectNames("fraud"), wishes: { cookie: false, https } },
      async ({ kind }) => world[kind],
    );

  test("is well where the class is accepted and a listener takes it, or where nothing may be looked at", async () => {
    expect(await found({ Gateway: gateway(), GatewayClass: accepted })).toBeUndefined();
    expect(await found({ Gateway: "unseen" })).toBeUndefined();
    expect(await found({ Gateway: gateway(), GatewayClass: "unseen" })).toBeUndefined();
  });

  test("has to have the policy of TLS that the model asks for", async () => {
    const GatewayClass = {
      status: { ...accepted.status, supportedFeatures: [{ name: "BackendTLSPolicy" }] },
    };
    const world = { Gateway: gateway(), GatewayClass };
    expect(await found(world, true)).toMatchObject({ code: "backend-tls-missing" });
    expect(await found({ ...world, GatewayClass: accepted }, true)).toMatchObject({
      code: "gateway-lacks-feature",
    });
    const targetRefs = ["fraud-blue", "fraud-green"].map((name) => ({ group: "", kind: "Service", name }));
    expect(await found({ ...world, BackendTLSPolicy: { spec: { targetRefs } } }, true)).toBeUndefined();
    expect(await found(world)).toBeUndefined();
  });

  test("is missing, or of a class that nobody serves", async () => {
    expect(await found({})).toMatchObject({ code: "gateway-missing" });
    expect(await found({ Gateway: gateway() })).toMatchObject({ code: "gateway-class-unaccepted" });
    const conditions = [{ type: "Accepted", status: "Unknown", message: "Waiting for controller" }];
    expect(await found({ Gateway: gateway(), GatewayClass: { status: { conditions } } })).toMatchObject({
      message: expect.stringContaining("no controller has accepted (Waiting for controller)"),
    });
  });

  test("is missing for a second host that no listener has", async () => {
    const also = { ...ingress, also: [{ host: "ml.example.org" }] };
    const world: Readonly<Record<string, ObservedObject>> = {
      Gateway: gateway({ hostname: "*.example.com" }),
      GatewayClass: accepted,
    };
    const problem = await gatewayApi.ground?.(
      { ingress: also, namespace: "ml", names: objectNames("fraud"), wishes: { cookie: false } },
      async ({ kind }) => world[kind],
    );
    expect(problem).toMatchObject({
      code: "gateway-listener-refuses",
      message: expect.stringContaining("takes the route's host ml.example.org: web is for *.example.com"),
    });
  });

  test.each([
    [{ key: "team", operator: "In", values: ["a", "b"] }, true],
    [{ key: "team", operator: "In", values: ["a"] }, false],
    [{ key: "team", operator: "NotIn", values: ["b"] }, false],
    [{ key: "team", operator: "Exists" }, true],
    [{ key: "closed", operator: "DoesNotExist" }, true],
    [{ key: "open", operator: "Exists" }, false],
  ])("a listener that selects namespaces by %j takes it: %s", async (expression, isTaken) => {
    const selector = { matchExpressions: [expression] };
    const listener = { allowedRoutes: { namespaces: { from: "Selector", selector } } };
    const Namespace = { metadata: { labels: { team: "b" } } };
    const problem = await found({ Gateway: gateway(listener), GatewayClass: accepted, Namespace });
    expect(problem?.code).toBe(isTaken ? undefined : "gateway-listener-refuses");
  });

  test.each([
    [{ name: "other" }, "has no listener web"],
    [{ allowedRoutes: {} }, "web takes routes of the namespace gateways only"],
    [{ hostname: "*.example.org" }, "web is for *.example.org"],
    [{ protocol: "TCP" }, "web speaks TCP"],
    [{ allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] } }, "web takes only GRPCRoute"],
    [
      { allowedRoutes: { namespaces: { from: "Selector", selector: { matchLabels: { team: "a" } } } } },
      "web does not select the namespace ml",
    ],
  ])("a listener %j does not take it", async (listener, why) => {
    const Namespace = { metadata: { labels: { team: "b" } } };
    const world = { Gateway: gateway(listener), GatewayClass: accepted, Namespace };
    expect(await found(world)).toMatchObject({
      code: "gateway-listener-refuses",
      message: expect.stringContaining(why),
    });
  });
});
