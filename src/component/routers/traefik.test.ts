import { describe, expect, test } from "vitest";
import { settledOn } from "../../core/routing.ts";
import { changeBetween, changedFieldsOf } from "./change.ts";
import type { RouterInput } from "./router.ts";
import { traefik } from "./traefik.ts";

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "ml.example.com" },
  previewHeader: "X-Preview",
  servicePort: 80,
};

describe("the router traefik", () => {
  test("writes a route that never changes, and the weights", () => {
    const [route, service] = traefik.objects(input);
    expect(route).toMatchObject({
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata: { name: "fraud", namespace: "ml", annotations: {} },
      spec: {
        routes: [
          {
            kind: "Rule",
            match: "Host(`ml.example.com`) && PathPrefix(`/`) && Header(`X-Preview`, `blue`)",
            services: [{ name: "fraud-blue", port: 80 }],
          },
          { match: expect.stringContaining("`green`"), services: [{ name: "fraud-green", port: 80 }] },
          {
            match: "Host(`ml.example.com`) && PathPrefix(`/`)",
            services: [{ kind: "TraefikService", name: "fraud" }],
          },
        ],
      },
    });
    expect(service).toMatchObject({
      kind: "TraefikService",
      metadata: { annotations: { "modelswitch.dev/main": "blue" } },
      spec: {
        weighted: {
          services: [
            { name: "fraud-blue", port: 80, weight: 75 },
            { name: "fraud-green", port: 80, weight: 25 },
          ],
        },
      },
    });
  });

  test("leaves out a Service of weight 0: without endpoints it would fail the other one, too", () => {
    const [, service] = traefik.objects({ ...input, routing: settledOn("green") });
    expect(service?.spec).toEqual({
      weighted: { services: [{ name: "fraud-green", port: 80, weight: 100 }] },
    });
  });

  test("moves traffic by the weights alone", () => {
    const change = changeBetween(traefik, input, settledOn("blue"), input.routing);
    expect(change?.ref.kind.kind).toBe("TraefikService");
    expect(change && Object.keys(changedFieldsOf(change))).toEqual(["weighted"]);
  });

  test("shares that somebody else wrote are no model's", () => {
    const of = (...services: object[]) => [
      { kind: "TraefikService", metadata: { name: "fraud" }, spec: { weighted: { services } } },
    ];
    const blue = { name: "fraud-blue", weight: 40 };
    expect(traefik.read("fraud", of(blue, { name: "fraud-green", weight: 60 }))).toEqual({
      main: "green",
      candidate: "blue",
      weight: 40,
    });
    expect(traefik.read("fraud", of(blue))).toEqual(settledOn("blue"));
    expect(traefik.read("fraud", of(blue, { name: "other", weight: 60 }))).toBeUndefined();
    expect(traefik.read("fraud", of(blue, { name: "fraud-green", weight: 1 }))).toBeUndefined();
    expect(traefik.read("fraud", of({ name: "fraud-blue", weight: 0 }))).toBeUndefined();
    expect(traefik.read("fraud", of())).toBeUndefined();
  });

  test("puts each path where Kubernetes would: longer ones first, exact ones first, previews at their own path", () => {
    const [route] = traefik.objects({
      ...input,
      ingress: {
        host: "*.example.com",
        path: "/a",
        also: [
          { host: "b.example.com", path: "/a/b" },
          { host: "b.example.com", path: "/a", pathType: "Exact" },
        ],
      },
    });
    const { routes = [] } = (route?.spec ?? {}) as { routes?: { match: string; priority: number }[] };
    const [preview, , prefix, deeperPreview, , deeper, , , exact] = routes;
    expect(prefix?.match).toBe("HostRegexp(`^[^.]+\\.example\\.com$`) && (Path(`/a`) || PathPrefix(`/a/`))");
    expect(exact?.match).toBe("Host(`b.example.com`) && Path(`/a`)");
    expect(preview?.priority).toBe((prefix?.priority ?? 0) + 1);
    expect(deeperPreview?.priority).toBe((deeper?.priority ?? 0) + 1);
    const sameHost = (path: string) => {
      const [one] = traefik.objects({ ...input, ingress: { host: "h", path } });
      return ((one?.spec ?? {}) as { routes?: typeof routes }).routes ?? [];
    };
    expect(sameHost("/a/b")[2]?.priority ?? 0).toBeGreaterThan(sameHost("/a")[0]?.priority ?? 0);
  });

  test("says class, TLS and the protocol of the pods", () => {
    const ingress = {
      host: "h",
      className: "edge",
      tls: [{ secretName: "cert" }],
      protocol: "grpc",
    } as const;
    const [route, service] = traefik.objects({ ...input, ingress });
    expect(route?.spec).toMatchObject({ ingressClassName: "edge", tls: { secretName: "cert" } });
    expect(JSON.stringify(service?.spec)).toContain('"scheme":"h2c"');
    expect(traefik.front(route ?? {})).toEqual({
      name: "fraud",
      className: "edge",
      tlsHosts: ["*"],
      addresses: [],
    });
    const [annotated] = traefik.objects({ ...input, ingress: { ...ingress, classAnnotation: true } });
    expect(annotated?.spec).not.toHaveProperty("ingressClassName");
    expect(traefik.front(annotated ?? {}).className).toBe("edge");
  });

  test("refuses two certificates, and annotations that are its own", () => {
    const tls = [{ secretName: "a" }, { secretName: "b" }];
    expect(() => traefik.objects({ ...input, ingress: { host: "h", tls } })).toThrow(
      expect.objectContaining({ code: "routing-unsupported" }),
    );
    const annotations = { "modelswitch.dev/main": "green" };
    expect(() => traefik.objects({ ...input, ingress: { host: "h", annotations } })).toThrow(
      expect.objectContaining({ code: "annotation-owned" }),
    );
  });
});
