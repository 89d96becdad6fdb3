import { describe, expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import { settledOn } from "../../core/routing.ts";
import { haproxyTech } from "./haproxy-tech.ts";
import type { RouterInput } from "./router.ts";

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "mlmodels.example.com", className: "haproxy" },
  previewHeader: "X-Preview",
  servicePort: 80,
};

function written(changes: Partial<RouterInput> = {}) {
  const objects = haproxyTech.objects({ ...input, ...changes });
  return Object.fromEntries(objects.map((one) => [`${one.kind} ${one.metadata.name}`, one]));
}
const acl = (changes: Partial<RouterInput> = {}) =>
  written(changes)["Service fraud-shift"]?.metadata.annotations["haproxy.org/route-acl"];

describe("the router haproxy-tech", () => {
  test("shares by one annotation of a Service of green's pods, and leads previews of green by another one", () => {
    expect(acl()).toBe(
      "rand(100) lt 25 } !{ req.hdr(X-Preview) -m str blue } { var(txn.path_match) -m sub _fraud-blue_",
    );
    const objects = written({ selectors: { blue: { slot: "b" }, green: { slot: "g" } } });
    for (const name of ["fraud-shift", "fraud-preview"]) {
      expect(objects[`Service ${name}`]?.spec).toMatchObject({
        selector: { slot: "g" },
        ports: [{ name: "http", port: 80, targetPort: 80 }],
      });
      expect(objects[`Ingress ${name}`]?.spec).toMatchObject({
        rules: [{ http: { paths: [{ path: "/", backend: { service: { name, port: { number: 80 } } } }] } }],
      });
    }
    expect(objects["Service fraud-preview"]?.metadata.annotations["haproxy.org/route-acl"]).toBe(
      "req.hdr(X-Preview) -m str green } { var(txn.path_match) -m sub _fraud-blue_",
    );
  });

  test("never rewrites the main Ingress, which leads to blue, and needs no commit", () => {
    const main = (routing: RouterInput["routing"]) => written({ routing })["Ingress fraud"];
    expect(main(settledOn("green"))).toEqual(main(settledOn("blue")));
    expect(acl({ routing: settledOn("green") })).toMatch(/^rand\(100\) lt 100 \}/);
    expect(acl({ routing: settledOn("blue") })).toMatch(/^rand\(100\) lt 0 \}/);
    expect(acl({ routing: { main: "green", candidate: "blue", weight: 25 } })).toMatch(/lt 75 \}/);
  });

  test("without the Service or Ingress of the shift everything is on blue; without the annotation on whose backend comes first", () => {
    const objects = haproxyTech.objects({ ...input, routing: settledOn("green") });
    expect(haproxyTech.read("fraud", objects)).toEqual(settledOn("green"));
    for (const kind of ["Service", "Ingress"]) {
      const left = objects.filter((one) => one.kind !== kind || one.metadata.name !== "fraud-shift");
      expect(haproxyTech.read("fraud", left)).toEqual(settledOn("blue"));
    }
    const bare = objects.map((one) => ({ ...one, metadata: { ...one.metadata, annotations: {} } }));
    expect(haproxyTech.read("fraud", bare)).toEqual(settledOn("blue"));
    const names = objectNames("fraud", { slots: { blue: { service: "zeta" } } });
    const later = haproxyTech.objects({ ...input, names }).map((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: {} },
    }));
    expect(haproxyTech.read(names, later)).toEqual(settledOn("green"));
    const odd = objects.map((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { "haproxy.org/route-acl": "always_true" } },
    }));
    expect(haproxyTech.read("fraud", odd)).toBeUndefined();
  });

  test("says of each backend what is asked of requests, and only the main Ingress has certificates", () => {
    const objects = written({
      ingress: {
        ...input.ingress,
        timeout: 90,
        protocol: "grpcs",
        tls: [{ secretName: "cert" }],
        annotations: { "haproxy.org/load-balance": "leastconn", "cert-manager.io/cluster-issuer": "ca" },
      },
    });
    for (const name of ["fraud", "fraud-shift", "fraud-preview"]) {
      expect(objects[`Ingress ${name}`]?.metadata.annotations).toMatchObject({
        "haproxy.org/timeout-server": "90s",
        "haproxy.org/server-proto": "h2",
        "haproxy.org/server-ssl": "true",
        "haproxy.org/load-balance": "leastconn",
      });
    }
    const beside = objects["Ingress fraud-shift"];
    expect(beside?.metadata.annotations).not.toHaveProperty(["cert-manager.io/cluster-issuer"]);
    expect([objects["Ingress fraud"]?.spec, beside?.spec].map((spec) => "tls" in (spec ?? {}))).toEqual([
      true,
      false,
    ]);
  });

  test.each([
    [{ className: undefined }, /ingress\.className is not said/],
    [{ path: "/v1", pathType: "ImplementationSpecific" }, /ImplementationSpecific/],
    [{ path: "/v1(a)" }, /characters/],
    [{ path: "/v1", annotations: { "haproxy.org/path-rewrite": "/" } }, /path-rewrite/],
    [{ annotations: { "haproxy.com/route-acl": "always_true" } }, /router "haproxy-tech" writes/],
    [{ annotations: { "haproxy.org/ssl-passthrough": "true" } }, /ssl-passthrough/],
  ] as const)("refuses %j", (changes, message) => {
    const { className, ...rest } = { ...input.ingress, ...changes };
    const ingress = className === undefined ? rest : { ...rest, className };
    expect(() => haproxyTech.objects({ ...input, ingress })).toThrow(message);
  });

  test("takes what it can: paths with dots, rewriting of all paths", () => {
    const annotations = { "haproxy.org/path-rewrite": "/(.*) /v1/\\1" };
    expect(() => haproxyTech.objects({ ...input, ingress: { ...input.ingress, annotations } })).not.toThrow();
    expect(() =>
      haproxyTech.objects({ ...input, ingress: { ...input.ingress, path: "/v1.0" } }),
    ).not.toThrow();
  });

  test("names its objects in its rights, and no slot's", () => {
    const names = haproxyTech.rights.map((right) =>
      typeof right.names === "function" ? [right.kind.kind, ...right.names(objectNames("fraud"))] : [],
    );
    expect(names).toEqual([
      ["Ingress", "fraud", "fraud-shift", "fraud-preview"],
      ["Service", "fraud-shift", "fraud-preview"],
    ]);
  });
});
