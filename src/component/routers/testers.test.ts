import { describe, expect, test } from "vitest";
import { type Routing, settledOn } from "../../core/routing.ts";
import type { Testers } from "../../core/testers.ts";
import { changeBetween } from "./change.ts";
import { contour } from "./contour.ts";
import { routerNamed } from "./factory.ts";
import { gatewayApi } from "./gateway-api.ts";
import { nginx } from "./nginx.ts";
import type { Router, RouterInput } from "./router.ts";
import { testersProblem } from "./routing-wishes.ts";
import { traefik } from "./traefik.ts";

/** What testers, and slots that get copies, become in each router's objects. */
const testers: Testers = {
  header: { name: "X-Team", value: "ml" },
  cookie: { name: "tester", value: "a.b" },
};
const armed: Routing = settledOn("blue");
const toGreen: Routing = { ...armed, testers: "green" };
const mirrored: Routing = { ...armed, mirror: 20 };

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: armed,
  ingress: { host: "ml.example.com", gateway: { name: "edge" } },
  previewHeader: "X-Preview",
  testers,
  servicePort: 80,
};

const spec = <T>(router: Router, index: number, routing: Routing): T =>
  router.objects({ ...input, routing })[index]?.spec as T;

describe("testers", () => {
  test("have routes of their own before everybody's in traefik, after a preview's", () => {
    type Routes = { routes: { match: string; priority: number; services: { name: string }[] }[] };
    const { routes } = spec<Routes>(traefik, 0, toGreen);
    const rule = "Host(`ml.example.com`) && PathPrefix(`/`)";
    const preview = "!(Header(`X-Preview`, `blue`) || Header(`X-Preview`, `green`))";
    expect(routes.slice(2, 4)).toMatchObject([
      { match: `${rule} && Header(\`X-Team\`, \`ml\`) && ${preview}`, services: [{ name: "fraud-green" }] },
      {
        match: `${rule} && HeaderRegexp(\`Cookie\`, \`^(?:.*;\\s*)?tester=a\\.b(?:;.*)?$\`) && ${preview}`,
        services: [{ name: "fraud-green" }],
      },
    ]);
    const [everybody] = routes.slice(-1);
    expect(routes.slice(0, 4).map(({ priority }) => priority - (everybody?.priority ?? 0))).toEqual([
      1, 1, 1, 1,
    ]);
    expect(spec<Routes>(traefik, 0, armed).routes).toHaveLength(3);
  });

  test("have rules after the preview's in an HTTPRoute", () => {
    type Rules = { rules: { matches: { headers?: object[] }[]; backendRefs: object[] }[] };
    const { rules } = spec<Rules>(gatewayApi, 0, toGreen);
    expect(rules).toHaveLength(5);
    expect(rules[2]).toMatchObject({
      matches: [{ headers: [{ type: "Exact", name: "X-Team", value: "ml" }] }],
      backendRefs: [{ name: "fraud-green" }],
    });
    expect(rules[3]).toMatchObject({
      matches: [{ headers: [{ type: "RegularExpression", name: "Cookie" }] }],
    });
  });

  test("have routes in an HTTPProxy for which the preview header says nothing, there or not", () => {
    type Routes = { routes: { conditions: object[]; services: object[] }[] };
    const { routes } = spec<Routes>(contour, 0, toGreen);
    const preview = ["blue", "green"].map((notexact) => ({
      header: { name: "X-Preview", notexact, treatMissingAsEmpty: true },
    }));
    expect(routes[2]).toMatchObject({
      conditions: [{ prefix: "/" }, { header: { name: "X-Team", exact: "ml" } }, ...preview],
      services: [{ name: "fraud-green" }],
    });
    expect(routes[3]).toMatchObject({ conditions: [{}, { header: { name: "Cookie" } }, {}, {}] });
  });

  test("are known to a canary Ingress by the preview header's value, which says `always` all the same", () => {
    const of: RouterInput = {
      ...input,
      previewHeader: "X-Team",
      testers: { header: { name: "X-Team", value: "ml.ops" }, cookie: { name: "tester" } },
    };
    const prefix = "nginx.ingress.kubernetes.io/canary-by";
    expect(nginx.objects({ ...of, routing: toGreen })[1]?.metadata.annotations).toMatchObject({
      [`${prefix}-header`]: "X-Team",
      [`${prefix}-header-pattern`]: "^(always|ml\\.ops)$",
      [`${prefix}-cookie`]: "tester",
    });
    expect([nginx.force(toGreen, "candidate"), nginx.force(toGreen, "main")]).toEqual(["always", undefined]);
    const without = nginx.objects({ ...of, routing: armed })[1]?.metadata.annotations ?? {};
    expect(Object.keys(without).filter((key) => key.includes("pattern") || key.includes("cookie"))).toEqual(
      [],
    );
  });

  test("come and go by a write of one object", () => {
    for (const router of [nginx, traefik, gatewayApi, contour]) {
      const given = { ...input, testers: { cookie: { name: "tester" } } };
      expect(changeBetween(router, given, armed, toGreen)).toBeDefined();
      expect(changeBetween(router, given, toGreen, armed)).toBeDefined();
    }
  });

  test.each<[string, Testers, string | undefined]>([
    ["traefik", testers, undefined],
    ["traefik", { header: { name: "x-preview", value: "ml" } }, "has the preview header X-Preview"],
    ["nginx", testers, 'knows cookies by the value "always" only'],
    ["nginx", { header: { name: "X-Team", value: "ml" } }, 'set previewHeader to "X-Team"'],
    ["nginx", { header: { name: "X-PREVIEW", value: "ml" } }, undefined],
    ["nginx", { header: { name: "X-Preview", value: "never" } }, "need a value of their own"],
    ["nginx", { cookie: { name: "tester" } }, undefined],
  ])("by the router %s: %o", (name, given, problem) => {
    const router = routerNamed(name as "nginx" | "traefik");
    const found = testersProblem(router, given, "X-Preview");
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });
});

describe("copies of requests", () => {
  test("take the place of weights, which all are on one slot", () => {
    expect(spec(traefik, 1, mirrored)).toEqual({
      mirroring: {
        name: "fraud-blue",
        port: 80,
        mirrors: [{ name: "fraud-green", port: 80, percent: 20 }],
      },
    });
    expect(spec(contour, 0, mirrored)).toMatchObject({
      routes: [
        {},
        {},
        {
          services: [
            { name: "fraud-blue", weight: 100 },
            { name: "fraud-green", mirror: true, weight: 20 },
          ],
        },
      ],
    });
  });

  test("are a filter of the rule that everybody has, in per cent where it is not all of them", () => {
    const filters = (mirror: number) =>
      spec<{ rules: object[] }>(gatewayApi, 0, { ...armed, mirror }).rules.at(-1);
    const backendRef = { name: "fraud-green", port: 80 };
    expect(filters(20)).toMatchObject({
      filters: [{ type: "RequestMirror", requestMirror: { backendRef, percent: 20 } }],
    });
    expect(filters(100)).toMatchObject({ filters: [{ requestMirror: { backendRef } }] });
    expect(JSON.stringify(filters(100))).not.toContain("percent");
  });

  test("to somebody else's Service are not ours to read", () => {
    const [route, service] = traefik.objects({ ...input, routing: mirrored });
    const text = JSON.stringify(service).replace('"name":"fraud-green"', '"name":"spam"');
    expect(traefik.read("fraud", [route ?? {}, JSON.parse(text)])).toBeUndefined();
    const [proxy] = contour.objects({ ...input, routing: mirrored });
    const other = JSON.stringify(proxy).replace(
      '"name":"fraud-green","port":80,"mirror":true',
      '"name":"spam","port":80,"mirror":true',
    );
    expect(other).toContain("spam");
    expect(contour.read("fraud", [JSON.parse(other)])).toBeUndefined();
  });
});
