import { describe, expect, test } from "vitest";
import { openInferenceIdentity } from "../component/servers/shared.ts";
import { beginning, identityPath, identityPlaces, leadsToModel } from "./identity-path.ts";
import { rewritingOf } from "./ingress-rewrite.ts";
import { type IngressSpec, placesOf } from "./model.ts";

const nginx = "nginx.ingress.kubernetes.io";
const free = "ImplementationSpecific";
const metadata = "/v2/models/m";

function asked(ingress: Omit<IngressSpec, "host">, path = metadata, ingressPath?: string): string {
  return identityPath(
    placesOf({ host: "h", ...ingress }),
    ingressPath === undefined ? { path } : { path, ingressPath },
    rewritingOf(ingress.annotations),
  );
}

const rewriting = (path: string, target: string): Omit<IngressSpec, "host"> => ({
  path,
  pathType: free,
  annotations: { [`${nginx}/rewrite-target`]: target },
});

describe("what clients ask for to reach an identity", () => {
  test.each<[Omit<IngressSpec, "host">, string, string]>([
    [{}, metadata, metadata],
    [{ path: "/v2" }, metadata, metadata],
    [{ path: "/v2/" }, `${metadata}?x=1`, `${metadata}?x=1`],
    [{ path: metadata, pathType: "Exact" }, metadata, metadata],
    [{ path: "/v2", pathType: free }, metadata, metadata],
    [{ path: "/v2/*", pathType: free }, metadata, metadata],
    [{ path: "/~/v\\d/.*", pathType: free }, metadata, metadata],
    [{ path: "/v[12]/models", annotations: { [`${nginx}/use-regex`]: "true" } }, metadata, metadata],
    // A pattern that only the controller can read: the proof will see.
    [{ path: "/(?<x", pathType: free }, metadata, metadata],
  ])("without a rewrite: %j and %s: %s", (ingress, path, expected) => {
    expect(asked(ingress, path)).toBe(expected);
  });

  test.each([
    ["/fraud(/|$)(.*)", "/$2", `/fraud${metadata}`],
    ["/fraud(?:/|$)(.*)", "/$1", `/fraud${metadata}`],
    ["/fraud/(.*)", "/$1", `/fraud${metadata}`],
    ["/fraud/?(.*)", "/$1", `/fraud${metadata}`],
    ["/fraud/*(.*)", "/$1", `/fraud${metadata}`],
    ["/fraud(/.*)?$", "$1", `/fraud${metadata}`],
    ["/fraud(.*)", "$1", `/fraud${metadata}`],
    ["/fraud(/|$)(.*)", "/$" + "{2}", `/fraud${metadata}`],
    ["^/fraud/(.*)$", "/$1", `/fraud${metadata}`],
    ["/(fraud|scam)/(.*)", "/$2", `/fraud${metadata}`],
    ["/api/v1\\.0/fraud(/|$)(.*)", "/$2", `/api/v1.0/fraud${metadata}`],
    ["/fraud/models/(.*)", "/v2/models/$1", "/fraud/models/m"],
    ["/fraud/(v2|v3)/(.*)", "/$1/$2", `/fraud${metadata}`],
    ["/((a)(b))/(.*)", "/$4", `/ab${metadata}`],
    ["/meta", metadata, "/meta"],
    ["/()(.*)", "/$2", metadata],
    ["/", "/$1/x", undefined],
  ])("with a rewrite: path %s, rewrite-target %s: %s", (path, target, expected) => {
    if (expected === undefined) expect(() => asked(rewriting(path, target))).toThrow();
    else expect(asked(rewriting(path, target))).toBe(expected);
  });

  test("the query goes with it", () => {
    expect(asked(rewriting("/fraud(/|$)(.*)", "/$2"), "/version?full=1")).toBe("/fraud/version?full=1");
  });

  test.each([
    ["konghq.com/strip-path", "true", `/fraud${metadata}`],
    ["haproxy-ingress.github.io/rewrite-target", "/", `/fraud${metadata}`],
    ["appgw.ingress.kubernetes.io/backend-path-prefix", "/v2/", "/fraud/models/m"],
  ])("%s: %s replaces the path of the Ingress", (annotation, value, expected) => {
    expect(asked({ path: "/fraud", annotations: { [annotation]: value } })).toBe(expected);
  });

  test("what is said wins, where the Ingress takes it", () => {
    const middlewares = { "traefik.ingress.kubernetes.io/router.middlewares": "ml-strip@kubernetescrd" };
    const ingress = { path: "/fraud", annotations: middlewares };
    expect(asked(ingress, metadata, `/fraud${metadata}`)).toBe(`/fraud${metadata}`);
    expect(asked(rewriting("/fraud(/|$)(.*)", "/$2"), metadata, "/fraud/x")).toBe("/fraud/x");
    expect(() => asked(ingress, metadata, "/scam/v2")).toThrow(
      /identity\.ingressPath is \/scam\/v2, but the Ingress only sends paths under \/fraud of h/,
    );
  });

  test.each<[Omit<IngressSpec, "host">, RegExp, RegExp]>([
    [{ path: "/fraud" }, /only sends paths under \/fraud of h/, /ingressPath: "\/fraud\/v2\/models\/m"/],
    [{ path: "/v22" }, /paths under \/v22/, /ingressPath/],
    [{ path: "/v2", pathType: "Exact" }, /the path \/v2 of h/, /ingressPath/],
    [{ path: "/x(/|$)(.*)", pathType: free }, /what matches \/x/, /rewrite-target": "\/\$2"/],
    [rewriting("/fraud", "/"), /sends every request to \/ \(rewrite-target\)/, /"\/fraud\(\/\|\$\)\(\.\*\)"/],
    [rewriting("/fraud/(.*)", "/api/$1"), /as \/api\/\$1/, /ingressPath/],
    [
      { path: "/fraud", annotations: { "traefik.ingress.kubernetes.io/router.middlewares": "x@y" } },
      /what traefik\.ingress\.kubernetes\.io\/router\.middlewares makes of it/,
      /ingressPath: "\/fraud\/v2\/models\/m"/,
    ],
    [
      { path: "/fraud", annotations: { "haproxy-ingress.github.io/rewrite-target": "/api" } },
      /replaces that by "\/api"/,
      /ingressPath/,
    ],
  ])("%j: refused, with what to set", (ingress, message, hint) => {
    expect(() => asked(ingress)).toThrow(
      expect.objectContaining({
        code: "identity-path-outside",
        exitCode: 2,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });

  test("each host that leads to the model is asked, by one of its own paths", () => {
    const also = [{ path: "/v2" }, { host: "b.test", path: "/v2" }, { host: "b.test", path: "/y" }];
    const ingress = { host: "a.test", path: "/x", also };
    const identity = { path: metadata, from: { kind: "body" } } as const;
    expect(identityPlaces(ingress, identity)).toEqual([
      { host: "a.test", path: metadata, grpc: false },
      { host: "b.test", path: metadata, grpc: false },
    ]);
    expect(() => identityPlaces(ingress, { ...identity, path: "/x/version" })).toThrow(
      /paths under \/v2 and paths under \/y of b\.test/,
    );
  });

  test("a method over gRPC has its own path, and no other", () => {
    const grpc = { host: "h", protocol: "grpc" } as const;
    const identity = openInferenceIdentity("m");
    const method = "/inference.GRPCInferenceService/ModelMetadata";
    expect(identityPlaces(grpc, identity)).toEqual([{ host: "h", path: method, grpc: true }]);
    const service = { ...grpc, path: "/inference.GRPCInferenceService/" };
    expect(identityPlaces(service, identity)).toEqual([{ host: "h", path: method, grpc: true }]);
    expect(() => identityPlaces({ ...grpc, path: "/fraud" }, identity)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('"/inference.GRPCInferenceService"') }),
    );
  });
});

test("what a gate asks for has to lead to the model, by any path of its host", () => {
  const also = [{ path: "/v2" }, { host: "b.test", path: "/y" }];
  const ingress: IngressSpec = { host: "h", ...rewriting("/fraud(/|$)(.*)", "/$2"), also };
  expect(leadsToModel(ingress, "/fraud/v2/models/m/infer")).toBe(true);
  expect(leadsToModel(ingress, "/v2/models/m/infer")).toBe(true);
  expect(leadsToModel(ingress, "/y")).toBe(false);
  expect(leadsToModel(ingress, "/models")).toBe(false);
});

test.each([
  ["/", "/"],
  ["/fraud(/|$)(.*)", "/fraud"],
  ["/fraud/.*", "/fraud/"],
  ["/fraud.v1/(.*)", "/fraud.v1/"],
  ["/fraud(.*)", "/fraud"],
  ["/v[12]/models/.*", "/"],
  ["/api/v[12]", "/api/"],
  ["(/x)", "/"],
])("the plain beginning of %s is %s", (path, expected) => {
  expect(beginning(path)).toBe(expected);
});
