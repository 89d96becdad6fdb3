import { describe, expect, test } from "vitest";
import type { IngressSpec } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { settledOn } from "../../core/routing.ts";
import { gatewayApiGrpc } from "./gateway-api-grpc.ts";
import type { ObservedObject, RouterInput } from "./router.ts";

const ingress: IngressSpec = {
  host: "ml.example.com",
  protocol: "grpc",
  gateway: { name: "edge", namespace: "gateways" },
};
const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: settledOn("blue"),
  ingress,
  previewHeader: "X-Preview",
  servicePort: 9000,
};

describe("the router gateway-api-grpc", () => {
  test("writes one GRPCRoute: a rule for each slot's preview, and one with both weights", () => {
    const [route, ...others] = gatewayApiGrpc.objects(input);
    expect(others).toEqual([]);
    expect(route).toMatchObject({ apiVersion: "gateway.networking.k8s.io/v1", kind: "GRPCRoute" });
    const preview = (slot: string) => ({
      matches: [{ headers: [{ type: "Exact", name: "X-Preview", value: slot }] }],
      backendRefs: [{ name: `fraud-${slot}`, port: 9000 }],
    });
    expect(route?.spec).toEqual({
      parentRefs: [{ name: "edge", namespace: "gateways" }],
      hostnames: ["ml.example.com"],
      rules: [
        preview("blue"),
        preview("green"),
        {
          backendRefs: [
            { name: "fraud-blue", port: 9000, weight: 100 },
            { name: "fraud-green", port: 9000, weight: 0 },
          ],
        },
      ],
    });
  });

  test.each<[string, Partial<IngressSpec>]>([
    ['ingress.protocol is "http"', { protocol: "http" }],
    ["BackendTLSPolicy", { protocol: "grpcs" }],
    ["has no paths", { path: "/fraud" }],
    ["has no paths", { also: [{ host: "b.example.com", path: "/b" }] }],
  ])("is refused where it cannot say it: %s", (why, changes) => {
    expect(() => gatewayApiGrpc.objects({ ...input, ingress: { ...ingress, ...changes } })).toThrow(
      expect.objectContaining({ code: "routing-unsupported", message: expect.stringContaining(why) }),
    );
  });

  test("needs a listener that takes GRPCRoutes", async () => {
    const look = (kinds: object[]) => async (kind: { readonly kind: string }) =>
      (kind.kind === "Gateway"
        ? {
            spec: {
              listeners: [
                { name: "web", protocol: "HTTP", allowedRoutes: { kinds, namespaces: { from: "All" } } },
              ],
            },
          }
        : { status: { conditions: [{ type: "Accepted", status: "True" }] } }) satisfies ObservedObject;
    const wishes = { cookie: false, mirror: undefined };
    const about = { ingress, namespace: "ml", names: objectNames("fraud"), wishes };
    expect(await gatewayApiGrpc.ground?.(about, look([{ kind: "HTTPRoute" }]))).toMatchObject({
      code: "gateway-listener-refuses",
      message: expect.stringContaining("web takes only HTTPRoute"),
    });
    expect(await gatewayApiGrpc.ground?.(about, look([{ kind: "GRPCRoute" }]))).toBeUndefined();
  });
});
