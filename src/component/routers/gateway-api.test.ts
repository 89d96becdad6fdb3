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
