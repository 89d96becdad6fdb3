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
    // By hand, say: the way back has to know who has the traffic.
    const green = (weight: number) => traefik.read("fraud", of(blue, { name: "fraud-green", weight }));
    expect(green(10)).toEqual({ main: "blue", candidate: "green", weight: 20 });
    expect(green(0.1)).toEqual({ main: "blue", candidate: "green", weight: 0.25 });
    expect(green(0.0001)).toEqual({ main: "blue", candidate: "green", weight: 0.01 });
    expect(green(40_000)).toEqual({ main: "green", candidate: "blue", weight: 0.1 });
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

  test("takes no request from others' rules for longer paths, or for hosts that a wildcard covers", () => {
    const highest = (ingress: RouterInput["ingress"]) => {
      const [one] = traefik.objects({ ...input, ingress });
      const { routes = [] } = (one?.spec ?? {}) as { routes?: { priority: number }[] };
      return Math.max(...routes.map(({ priority }) => priority));
    };
    // What Traefik gives a rule that says no priority: its length.
    const theirs = (rule: string) => rule.length;
    expect(highest({ host: "h", path: "/a" })).toBeLessThan(theirs("Host(`h`) && PathPrefix(`/a/b`)"));
    expect(highest({ host: "h", path: "/a/" })).toBeLessThan(theirs("Host(`h`) && PathPrefix(`/a/b`)"));
    expect(highest({ host: "*.h.com", path: "/models" })).toBeLessThan(
      theirs("Host(`a.h.com`) && PathPrefix(`/`)"),
    );
    expect(highest({ host: "*.h.com" })).toBeGreaterThan(theirs("PathPrefix(`/`)") + 1);
  });

  test("sees who else has its hosts: by a wildcard, by no host at all, and whatever they are called", () => {
    const claimed = (match: string) =>
      (traefik.claim({ spec: { routes: [{ match }] } }).spec?.rules ?? []).map(
        ({ host, http }) => `${host}${http?.paths?.[0]?.path}`,
      );
    const [own] = traefik.objects({ ...input, ingress: { host: "*.example.com" } });
    const { routes = [] } = (own?.spec ?? {}) as { routes?: { match: string }[] };
    expect(routes.flatMap(({ match }) => claimed(match))).toEqual(["*.example.com/"]);
    expect(claimed("PathPrefix(`/fraud`)")).toEqual(["/fraud"]);
    expect(claimed("Host(`Headers.example.com`) && PathPrefix(`/`)")).toEqual(["Headers.example.com/"]);
    expect(claimed("HostRegexp(`.+`)")).toEqual([]);
    expect(claimed("Host(`h`) && HeaderRegexp(`A`, `b`)")).toEqual([]);
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
