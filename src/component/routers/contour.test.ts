import { describe, expect, test } from "vitest";
import type { IngressSpec } from "../../core/model.ts";
import { settledOn } from "../../core/routing.ts";
import { contour } from "./contour.ts";
import type { RouterInput } from "./router.ts";

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "ml.example.com", className: "contour" },
  previewHeader: "X-Preview",
  servicePort: 80,
};

describe("the router contour", () => {
  test("weighs both slots, and has a route for each by the preview header", () => {
    const [proxy] = contour.objects(input);
    expect(proxy).toMatchObject({ apiVersion: "projectcontour.io/v1", kind: "HTTPProxy" });
    expect(proxy?.spec).toEqual({
      ingressClassName: "contour",
      virtualhost: { fqdn: "ml.example.com" },
      routes: [
        {
          conditions: [{ prefix: "/" }, { header: { name: "X-Preview", exact: "blue" } }],
          services: [{ name: "fraud-blue", port: 80 }],
        },
        {
          conditions: [{ prefix: "/" }, { header: { name: "X-Preview", exact: "green" } }],
          services: [{ name: "fraud-green", port: 80 }],
        },
        {
          conditions: [{ prefix: "/" }],
          services: [
            { name: "fraud-blue", port: 80, weight: 75 },
            { name: "fraud-green", port: 80, weight: 25 },
          ],
        },
      ],
    });
  });

  test("takes a prefix by the parts of a path, with the time-out and the protocol of requests", () => {
    const ingress = { ...input.ingress, path: "/a", timeout: 120, protocol: "grpc" } as const;
    const [proxy] = contour.objects({ ...input, ingress });
    const { routes = [] } = (proxy?.spec ?? {}) as { routes?: { conditions: object[] }[] };
    expect(routes.map(({ conditions }) => conditions[0])).toEqual([
      ...Array(3).fill({ exact: "/a" }),
      ...Array(3).fill({ prefix: "/a/" }),
    ]);
    expect(routes[2]).toMatchObject({
      services: [{ protocol: "h2c" }, { protocol: "h2c" }],
      timeoutPolicy: { response: "120s" },
    });
  });

  test("Envoy closes idle connections before the model server does", () => {
    const timesOf = (changes: Partial<RouterInput>) => {
      const [proxy] = contour.objects({ ...input, ...changes });
      const { routes = [] } = (proxy?.spec ?? {}) as { routes?: { timeoutPolicy?: object }[] };
      // All alike: otherwise Envoy had another cluster for those who get a preview, and that of clients would be cold.
      expect(new Set(routes.map(({ timeoutPolicy }) => JSON.stringify(timeoutPolicy))).size).toBe(1);
      return routes[0]?.timeoutPolicy;
    };
    expect(timesOf({})).toBeUndefined();
    expect(timesOf({ keepAliveSeconds: 5 })).toEqual({ idleConnection: "3000ms" });
    const ingress = { ...input.ingress, timeout: 120 };
    expect(timesOf({ ingress, keepAliveSeconds: 120 })).toEqual({
      response: "120s",
      idleConnection: "72000ms",
    });
  });

  test("a weight of 0 that a webhook has left out is still 0", () => {
    const read = (...services: object[]) =>
      contour.read("fraud", [
        { kind: "HTTPProxy", metadata: { name: "fraud" }, spec: { routes: [{ services }] } },
      ]);
    const green = { name: "fraud-green", port: 80 };
    expect(read({ name: "fraud-blue", port: 80, weight: 100 }, green)).toEqual(settledOn("blue"));
    expect(read({ name: "fraud-blue", port: 80 }, green)).toMatchObject({ weight: 50 });
    expect(read(green)).toEqual(settledOn("green"));
  });

  test("paths that are shared otherwise were written by somebody else", () => {
    const [proxy] = contour.objects({ ...input, ingress: { host: "h", path: "/a" } });
    const { routes = [] } = (proxy?.spec ?? {}) as { routes?: object[] };
    const read = (changed: readonly object[]) =>
      contour.read("fraud", [{ kind: "HTTPProxy", metadata: { name: "fraud" }, spec: { routes: changed } }]);
    expect(read(routes)).toMatchObject({ main: "blue", weight: 25 });
    const settled = contour.objects({
      ...input,
      routing: settledOn("blue"),
      ingress: { host: "h", path: "/a" },
    });
    const { routes: others = [] } = (settled[0]?.spec ?? {}) as { routes?: object[] };
    expect(read([...routes.slice(0, 3), ...others.slice(3)])).toBeUndefined();
  });

  test("says where clients connect", () => {
    const [proxy = {}] = contour.objects({ ...input, ingress: { host: "h", tls: [{ secretName: "cert" }] } });
    const status = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } };
    expect(contour.front({ ...proxy, status })).toEqual({
      name: "fraud",
      className: undefined,
      tlsHosts: ["h"],
      addresses: ["203.0.113.7"],
    });
  });

  test.each<Partial<IngressSpec>>([
    { also: [{ host: "other.example.com" }] },
    { host: "" },
    { tls: [{}] },
    { tls: [{ secretName: "a" }, { secretName: "b" }] },
  ])("cannot say %j", (changes) => {
    const ingress = { ...input.ingress, ...changes };
    expect(() => contour.objects({ ...input, ingress })).toThrow(
      expect.objectContaining({ code: "routing-unsupported" }),
    );
  });
});
