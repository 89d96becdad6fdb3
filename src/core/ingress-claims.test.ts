import { describe, expect, test } from "vitest";
import { claimsOf, claimsOnModel, describeClaim, type IngressLike } from "./ingress-claims.ts";

interface Given {
  readonly host?: string;
  readonly path?: string;
  readonly pathType?: string;
  readonly className?: string | null;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly name?: string;
  readonly spec?: IngressLike["spec"];
}

const ingress = (given: Given = {}): IngressLike => ({
  metadata: {
    name: given.name ?? "web",
    namespace: given.namespace ?? "shop",
    annotations: given.annotations ?? {},
    labels: given.labels ?? {},
  },
  spec: {
    ...(given.className === null ? {} : { ingressClassName: given.className ?? "nginx" }),
    rules: [
      {
        ...(given.host === "" ? {} : { host: given.host ?? "ml.example.com" }),
        http: { paths: [{ path: given.path ?? "/", pathType: given.pathType ?? "Prefix" }] },
      },
    ],
    ...given.spec,
  },
});

const wanted = (path = "/", pathType = "Prefix", host = "ml.example.com") => ({
  host,
  paths: [{ path, pathType }],
  className: "nginx",
  own: { namespace: "ml", names: ["fraud", "fraud-canary"] },
});

const relation = (other: Given, ours = wanted()) => claimsOf([ingress(other)], ours)[0]?.relation;

describe("what another Ingress has of a route", () => {
  test.each<[string, Given, ReturnType<typeof wanted>, string | undefined]>([
    ["the same host and path", {}, wanted(), "same"],
    ["in another case", { host: "ML.example.com" }, wanted(), "same"],
    ["another host", { host: "other.example.com" }, wanted(), undefined],
    ["with a slash at the end", { path: "/fraud/" }, wanted("/fraud"), "same"],
    ["a path beside", { path: "/fraudulent" }, wanted("/fraud"), undefined],
    ["a path above", { path: "/" }, wanted("/fraud"), "wider"],
    ["a path below", { path: "/v2/models" }, wanted("/"), "narrower"],
    ["an exact path on a prefix", { path: "/fraud", pathType: "Exact" }, wanted("/fraud"), "narrower"],
    ["a prefix under an exact path", { path: "/fraud" }, wanted("/fraud", "Exact"), "wider"],
    ["two exact ones", { path: "/a", pathType: "Exact" }, wanted("/a", "Exact"), "same"],
    ["exact ones differ by a slash", { path: "/a/", pathType: "Exact" }, wanted("/a", "Exact"), undefined],
    ["an exact one above", { path: "/", pathType: "Exact" }, wanted("/fraud"), undefined],
    ["the controller's own type", { path: "/a", pathType: "ImplementationSpecific" }, wanted("/a"), "same"],
    ["no type", { spec: { rules: [{ host: "ml.example.com", http: { paths: [{}] } }] } }, wanted(), "same"],
    ["no host", { host: "" }, wanted(), "wider"],
    ["a wildcard", { host: "*.example.com" }, wanted(), "wider"],
    ["a wildcard of another depth", { host: "*.com" }, wanted(), undefined],
    [
      "a host under our wildcard",
      { host: "a.example.com" },
      wanted("/", "Prefix", "*.example.com"),
      "narrower",
    ],
    ["the same wildcard", { host: "*.example.com" }, wanted("/", "Prefix", "*.example.com"), "same"],
    [
      "the same regular expression",
      { path: "/fraud(/|$)(.*)", pathType: "ImplementationSpecific" },
      wanted("/fraud(/|$)(.*)", "ImplementationSpecific"),
      "same",
    ],
    [
      "a regular expression that says a prefix",
      { path: "/fraud/?(.*)", pathType: "ImplementationSpecific" },
      wanted("/fraud"),
      "same",
    ],
  ])("%s", (_, other, ours, expected) => {
    expect(relation(other, ours)).toBe(expected);
  });

  test("the class, as a field or an annotation: another one is no claim, none may be", () => {
    const annotated = (value: string) => ({
      className: null,
      annotations: { "kubernetes.io/ingress.class": value },
    });
    expect(relation({ className: "traefik" })).toBeUndefined();
    expect(relation(annotated("traefik"))).toBeUndefined();
    expect(relation(annotated("nginx"))).toBe("same");
    expect(relation({ className: null })).toBe("same");
  });

  test("its own objects, canaries and what is being deleted are none", () => {
    expect(relation({ namespace: "ml", name: "fraud" })).toBeUndefined();
    expect(relation({ namespace: "ml", name: "fraud-canary" })).toBeUndefined();
    expect(relation({ namespace: "shop", name: "fraud" })).toBe("same");
    const canary = (value: string) => ({ annotations: { "nginx.ingress.kubernetes.io/canary": value } });
    expect(relation(canary("true"))).toBeUndefined();
    expect(relation(canary("True"))).toBeUndefined();
    expect(relation(canary("false"))).toBe("same");
    const leaving = ingress();
    const deleted = {
      ...leaving,
      metadata: { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    };
    expect(claimsOf([deleted], wanted())).toEqual([]);
  });

  test("a default backend gets what nobody asks for; with a host alone it has all of the host", () => {
    const defaultBackend = { service: { name: "web" } };
    expect(relation({ spec: { defaultBackend, rules: [] } })).toBeUndefined();
    expect(relation({ spec: { defaultBackend, rules: [{ host: "ml.example.com" }] } })).toBe("same");
    expect(relation({ spec: { rules: [{ host: "ml.example.com" }] } })).toBeUndefined();
  });

  test("an alias of another's host is given up to the host itself", () => {
    const annotations = { "nginx.ingress.kubernetes.io/server-alias": "a.example.com, ml.example.com" };
    expect(relation({ host: "b.example.com", annotations })).toBe("wider");
  });

  test("says whose it is, and puts the same ones first", () => {
    const labels = {
      "app.kubernetes.io/managed-by": "modelswitch",
      "app.kubernetes.io/instance": "ranking",
    };
    const claims = claimsOf([ingress({ host: "" }), ingress({ name: "ranking", labels })], wanted());
    expect(claims.map((claim) => `${claim.relation}: ${describeClaim(claim)}`)).toEqual([
      'same: the Ingress shop/ranking (of the model "ranking") has ml.example.com/ (Prefix)',
      "wider: the Ingress shop/web has / of every host (Prefix)",
    ]);
  });

  test("looks at all hosts and paths of a model", () => {
    const spec = { host: "a.example.com", also: [{ path: "/v2" }, { host: "ml.example.com" }] };
    const claims = claimsOnModel([ingress(), ingress({ host: "a.example.com", path: "/v2" })], spec, {
      namespace: "ml",
      names: ["fraud"],
    });
    const same = claims.filter((claim) => claim.relation === "same").map((claim) => claim.wanted);
    expect(same).toEqual([
      { host: "a.example.com", path: "/v2", pathType: "Prefix" },
      { host: "ml.example.com", path: "/", pathType: "Prefix" },
    ]);
  });
});
