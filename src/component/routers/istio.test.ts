import { describe, expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import { settledOn } from "../../core/routing.ts";
import type { Testers } from "../../core/testers.ts";
import { istio } from "./istio.ts";
import type { Look, RouterInput } from "./router.ts";
import { unknownOf, virtualService } from "./written.fixture.ts";

const testers: Testers = {
  header: { name: "X-Team", value: "ml" },
  cookie: { name: "tester", value: "a.b" },
};
const gateway = { name: "edge", namespace: "istio-ingress" };
const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "ml.example.com", gateway },
  previewHeader: "X-Preview",
  servicePort: 80,
};

interface Spec {
  readonly hosts: readonly string[];
  readonly http: readonly { readonly match: readonly object[] }[];
}
const specOf = (changes: Partial<RouterInput> = {}) =>
  istio.objects({ ...input, ...changes })[0]?.spec as Spec | undefined;
const to = (host: string) => ({ destination: { host, port: { number: 80 } } });

describe("the router istio", () => {
  test("weighs both slots after a route for each by the preview header", () => {
    const [service] = istio.objects(input);
    expect(service).toMatchObject({ apiVersion: "networking.istio.io/v1", kind: "VirtualService" });
    expect(service?.spec).toEqual({
      gateways: ["istio-ingress/edge"],
      hosts: ["ml.example.com"],
      http: [
        {
          match: [{ uri: { prefix: "/" }, headers: { "x-preview": { exact: "blue" } } }],
          route: [to("fraud-blue")],
        },
        {
          match: [{ uri: { prefix: "/" }, headers: { "x-preview": { exact: "green" } } }],
          route: [to("fraud-green")],
        },
        {
          match: [{ uri: { prefix: "/" } }],
          route: [
            { ...to("fraud-blue"), weight: 75 },
            { ...to("fraud-green"), weight: 25 },
          ],
        },
      ],
    });
  });

  test("writes nothing that Istio does not know, whatever is asked for", () => {
    const wishes: readonly Partial<RouterInput>[] = [
      {},
      { routing: { ...settledOn("blue"), mirror: 20, testers: "green" }, testers },
      { ingress: { host: "", gateway: { name: "edge" }, path: "/a", also: [{ path: "/b" }], timeout: 120 } },
    ];
    for (const wish of wishes) expect(unknownOf(virtualService, specOf(wish))).toEqual([]);
    expect(unknownOf(virtualService, { ...specOf(), rules: [] })).not.toEqual([]);
  });

  test("takes a prefix by the parts of a path, and all paths for all hosts", () => {
    const ingress = { ...input.ingress, path: "/a", also: [{ host: "b.test", path: "/a" }], timeout: 120 };
    const spec = specOf({ ingress });
    expect(spec?.hosts).toEqual(["ml.example.com", "b.test"]);
    expect(spec?.http.at(-1)).toMatchObject({
      match: [{ uri: { exact: "/a" } }, { uri: { prefix: "/a/" } }],
      timeout: "120s",
    });
    const other = { ...ingress, also: [{ host: "b.test", path: "/b" }] };
    expect(() => specOf({ ingress: other })).toThrow(/different paths/);
  });

  test("testers come after a preview, and copies go with the route of everybody", () => {
    const http =
      specOf({ testers, routing: { ...settledOn("blue"), mirror: 20, testers: "green" } })?.http ?? [];
    expect(http.slice(2)).toMatchObject([
      { match: [{ headers: { "x-team": { exact: "ml" } } }], route: [to("fraud-green")] },
      {
        match: [{ headers: { cookie: { regex: "^(?:.*;\\s*)?tester=a\\.b(?:;.*)?$" } } }],
        route: [to("fraud-green")],
      },
      {
        route: [
          { ...to("fraud-blue"), weight: 100 },
          { ...to("fraud-green"), weight: 0 },
        ],
        mirror: { host: "fraud-green", port: { number: 80 } },
        mirrorPercentage: { value: 20 },
      },
    ]);
  });

  test("copies to somebody else's Service are not ours to read", () => {
    const [service] = istio.objects({ ...input, routing: { ...settledOn("blue"), mirror: 20 } });
    const other = JSON.stringify(service).replace(
      '"mirror":{"host":"fraud-green"',
      '"mirror":{"host":"spam"',
    );
    expect(other).toContain("spam");
    expect(istio.read("fraud", [JSON.parse(other)])).toBeUndefined();
    expect(istio.read("fraud", [service ?? {}])).toMatchObject({ mirror: 20 });
  });

  test("a slot without a weight beside another one gets nothing, as Istio has it", () => {
    const [service] = istio.objects({ ...input, routing: settledOn("blue") });
    const bare = JSON.stringify(service).replace(',"weight":0', "");
    expect(istio.read("fraud", [JSON.parse(bare)])).toEqual(settledOn("blue"));
  });

  test("needs a whole Gateway by its name", () => {
    expect(() => specOf({ ingress: { host: "h" } })).toThrow(
      expect.objectContaining({ code: "gateway-missing" }),
    );
    expect(() => specOf({ ingress: { host: "h", gateway: { name: "edge", sectionName: "web" } } })).toThrow(
      /sectionName/,
    );
  });
});

describe("the Gateway of the router istio", () => {
  const ground = (servers: readonly string[] | undefined | "unseen", host = "ml.example.com") => {
    const look: Look = (kind, name, namespace) => {
      expect([kind.group, kind.kind, namespace, name]).toEqual([
        "networking.istio.io",
        "Gateway",
        "istio-ingress",
        "edge",
      ]);
      if (servers === "unseen") return Promise.resolve("unseen");
      return Promise.resolve(servers && { spec: { servers: [{ hosts: servers }] } });
    };
    const about = {
      ingress: { host, gateway },
      namespace: "ml",
      names: objectNames("fraud"),
      wishes: { cookie: false },
    };
    return istio.ground?.(about, look);
  };

  test.each([[["*"]], [["ml.example.com"]], [["*.example.com"]], [["ml/ml.example.com"]], [["*/*"]]])(
    "takes the host by %j",
    async (servers) => {
      expect(await ground(servers)).toBeUndefined();
    },
  );

  test.each([[["other.example.com"]], [["*.example.org"]], [["spam/ml.example.com"]], [["./*"]], [[]]])(
    "does not by %j",
    async (servers) => {
      expect(await ground(servers)).toMatchObject({ code: "gateway-lacks-host" });
    },
  );

  test("has to be there, as far as may be looked", async () => {
    expect(await ground(undefined)).toMatchObject({ code: "gateway-missing" });
    expect(await ground("unseen")).toBeUndefined();
    expect(await ground(["a.example.com"], "*.example.com")).toBeUndefined();
  });
});
