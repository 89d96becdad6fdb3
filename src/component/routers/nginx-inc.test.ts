import { describe, expect, test } from "vitest";
import type { IngressSpec } from "../../core/model.ts";
import { settledOn } from "../../core/routing.ts";
import type { Testers } from "../../core/testers.ts";
import { nginxInc } from "./nginx-inc.ts";
import type { RouterInput } from "./router.ts";
import { testersProblem } from "./routing-wishes.ts";
import { unknownOf, virtualServer } from "./written.fixture.ts";

const testers: Testers = { header: { name: "X-Team", value: "ml" }, cookie: { name: "tester" } };
const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "ml.example.com", className: "nginx" },
  previewHeader: "X-Preview",
  servicePort: 80,
};

interface Spec {
  readonly upstreams: readonly object[];
  readonly routes: readonly { readonly path: string; readonly matches: readonly object[] }[];
}
const specOf = (changes: Partial<RouterInput> = {}) =>
  nginxInc.objects({ ...input, ...changes })[0]?.spec as Spec | undefined;

describe("the router nginx-inc", () => {
  test("splits between both slots, after the matches of the preview header", () => {
    const [server] = nginxInc.objects(input);
    expect(server).toMatchObject({ apiVersion: "k8s.nginx.org/v1", kind: "VirtualServer" });
    expect(server?.spec).toEqual({
      ingressClassName: "nginx",
      host: "ml.example.com",
      upstreams: [
        { name: "blue", service: "fraud-blue", port: 80 },
        { name: "green", service: "fraud-green", port: 80 },
      ],
      routes: [
        {
          path: "/",
          matches: [
            { conditions: [{ header: "X-Preview", value: "blue" }], action: { pass: "blue" } },
            { conditions: [{ header: "X-Preview", value: "green" }], action: { pass: "green" } },
          ],
          splits: [
            { weight: 75, action: { pass: "blue" } },
            { weight: 25, action: { pass: "green" } },
          ],
        },
      ],
    });
  });

  test("writes nothing that the controller does not know, whatever is asked for", () => {
    const wishes: readonly Partial<RouterInput>[] = [
      {},
      { routing: settledOn("green") },
      { testers, routing: { ...settledOn("blue"), testers: "green" } },
      {
        ingress: {
          ...input.ingress,
          path: "/a",
          also: [{ path: "/b", pathType: "Exact" }],
          tls: [{ secretName: "cert" }],
          timeout: 120,
          maxBodySize: "64Mi",
          protocol: "grpcs",
        },
      },
      { ingress: { ...input.ingress, tls: [{}], maxBodySize: "unlimited", protocol: "https" } },
    ];
    for (const wish of wishes) expect(unknownOf(virtualServer, specOf(wish))).toEqual([]);
    // The excerpt itself can tell.
    expect(unknownOf(virtualServer, { ...specOf(), hosts: [] })).not.toEqual([]);
  });

  test("takes a prefix by the parts of a path, with what is asked of requests at each slot", () => {
    const ingress = {
      ...input.ingress,
      path: "/a",
      timeout: 120,
      maxBodySize: "1Mi",
      protocol: "grpc",
    } as const;
    const spec = specOf({ ingress });
    expect(spec?.routes.map(({ path }) => path)).toEqual(["=/a", "/a/"]);
    for (const upstream of spec?.upstreams ?? []) {
      expect(upstream).toMatchObject({
        type: "grpc",
        "read-timeout": "120s",
        "send-timeout": "120s",
        "client-max-body-size": "1048576",
      });
    }
  });

  test("testers come after a preview, and only while a release goes live", () => {
    const [route] = specOf({ testers, routing: { ...settledOn("blue"), testers: "green" } })?.routes ?? [];
    expect(route?.matches.slice(2)).toEqual([
      { conditions: [{ header: "X-Team", value: "ml" }], action: { pass: "green" } },
      { conditions: [{ cookie: "tester", value: "always" }], action: { pass: "green" } },
    ]);
    expect(specOf({ testers })?.routes[0]?.matches).toHaveLength(2);
  });

  test.each<[Testers, string | undefined]>([
    [testers, undefined],
    [{ cookie: { name: "the.tester" } }, "letters, digits and _ only"],
    [{ header: { name: "X-Team", value: "~ml" } }, "for a pattern"],
    [{ header: { name: "x-preview", value: "ml" } }, "has the preview header X-Preview"],
  ])("testers %j", (given, problem) => {
    const found = testersProblem(nginxInc, given, "X-Preview");
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });

  test("routes that are shared otherwise were written by somebody else", () => {
    const ingress = { ...input.ingress, path: "/a" };
    const [server] = nginxInc.objects({ ...input, ingress });
    expect(nginxInc.read("fraud", [server ?? {}])).toMatchObject({ main: "blue", weight: 25 });
    const other = JSON.stringify(server)
      .replace('"weight":75', '"weight":74')
      .replace('"weight":25', '"weight":26');
    expect(nginxInc.read("fraud", [JSON.parse(other)])).toBeUndefined();
  });

  test("says where clients connect", () => {
    const [server = {}] = nginxInc.objects({
      ...input,
      ingress: { host: "h", tls: [{ secretName: "cert" }] },
    });
    const status = {
      externalEndpoints: [{ ip: "203.0.113.7", ports: "[80,443]" }, { hostname: "edge.test" }],
    };
    expect(nginxInc.front({ ...server, status })).toEqual({
      name: "fraud",
      className: undefined,
      tlsHosts: ["h"],
      addresses: ["203.0.113.7", "edge.test"],
    });
  });

  test.each<Partial<IngressSpec>>([
    { also: [{ host: "other.example.com" }] },
    { host: "" },
    { path: "/a;b" },
    { tls: [{ secretName: "a" }, { secretName: "b" }] },
  ])("cannot say %j", (changes) => {
    expect(() => nginxInc.objects({ ...input, ingress: { ...input.ingress, ...changes } })).toThrow(
      expect.objectContaining({ code: "routing-unsupported" }),
    );
  });
});
