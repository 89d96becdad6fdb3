import { afterAll, describe, expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import type { OwnRouterName } from "../../core/router-names.ts";
import { settledOn } from "../../core/routing.ts";
import { conformanceOf } from "./conformance.ts";
import { routerNamed } from "./factory.ts";
import { defineRouter, type OwnRouter } from "./own.ts";
import type { RouterInput } from "./router.ts";
import { routerOfTable, tableOf } from "./tabulated.ts";

interface Spec {
  readonly http?: readonly {
    readonly match?: {
      readonly hosts?: readonly string[];
      readonly paths?: readonly string[];
      readonly exprs?: object;
    };
    readonly backends?: readonly { readonly serviceName?: string; readonly weight?: number }[];
  }[];
}
const shared = (spec: unknown) =>
  ((spec as Spec | undefined)?.http ?? []).filter(({ match }) => match?.exprs === undefined);

const route: OwnRouter["route"] = {
  group: "apisix.apache.org",
  version: "v2",
  kind: "ApisixRoute",
  plural: "apisixroutes",
  spec: ({ places, services, servicePort, shares, previewHeader }) => {
    const match = { hosts: places.map(({ host }) => host), paths: places.map(({ path }) => `${path}*`) };
    return {
      http: [
        {
          name: "shared",
          match,
          backends: (["blue", "green"] as const).map((slot) => ({
            serviceName: services[slot],
            servicePort,
            weight: shares[slot],
          })),
        },
        ...(["blue", "green"] as const).map((slot) => ({
          name: slot,
          priority: 1,
          match: {
            ...match,
            exprs: [{ subject: { scope: "Header", name: previewHeader }, op: "Equal", value: slot }],
          },
          backends: [{ serviceName: services[slot], servicePort }],
        })),
      ],
    };
  },
  weights: (spec) =>
    shared(spec).flatMap(({ backends = [] }) =>
      backends.map(({ serviceName, weight }) => ({ name: serviceName, weight })),
    ),
  claims: (spec) =>
    shared(spec).flatMap(({ match }) =>
      (match?.hosts ?? []).flatMap((host) =>
        (match?.paths ?? []).map((path) => ({ host, path: path.replace(/\*$/, "") })),
      ),
    ),
};
const service = { group: "", version: "v1", kind: "Service", plural: "services", spec: () => ({}) };
const complete: OwnRouter = { name: "apisix", route, preview: true };

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: settledOn("blue"),
  ingress: { host: "ml.example.com", path: "/fraud" },
  previewHeader: "X-Modelswitch-Preview",
  servicePort: 80,
};

function problemsOf(own: OwnRouter): string[] {
  return conformanceOf(routerNamed(defineRouter(own)), input).flatMap(({ name, problems }) =>
    problems.map((problem) => `${name}: ${problem}`),
  );
}

afterAll(() => {
  defineRouter(complete);
});

describe("a router that only its table is left of", () => {
  const { routing: _none, ...about } = input;
  test.each([
    ["with weights and a preview", complete],
    ["without weights", { ...complete, weights: false }],
    [
      "with objects beside",
      { ...complete, beside: [{ ...service, suffix: "edge", spec: () => ({ a: 1 }) }] },
    ],
  ] as const)("%s writes and reads what the router did", (_what, own) => {
    const router = routerNamed(defineRouter(own as OwnRouter));
    const table = JSON.parse(JSON.stringify(tableOf(router, about)));
    const left = routerOfTable("own:apisix", table);
    for (const weight of own.weights === false ? [0, 100] : [0, 1, 25, 99, 100]) {
      const asked = { ...input, routing: { main: "blue", candidate: "green", weight } as const };
      expect(left.objects(asked)).toEqual(router.objects(asked));
    }
    const wrong = conformanceOf(left, input).flatMap(({ name, problems }) =>
      problems.map((problem) => `${name}: ${problem}`),
    );
    // Names are the model's, and claims are not in it.
    expect(
      wrong.filter(
        (text) => !/claim|read the objects of another|names? .*writes|Services that are not/.test(text),
      ),
    ).toEqual([]);
  });

  test("reads what webhooks have added to, and nothing that somebody else wrote", () => {
    const router = routerNamed(defineRouter(complete));
    const left = routerOfTable("own:apisix", tableOf(router, about));
    const [object] = router.objects({ ...input, routing: { main: "blue", candidate: "green", weight: 25 } });
    const added = { ...object, spec: { ...object?.spec, timeout: "5s" } };
    expect(left.read("fraud", [added])).toEqual({ main: "blue", candidate: "green", weight: 25 });
    expect(left.read("fraud", [{ ...object, spec: { http: [] } }])).toBeUndefined();
    expect(left.read("fraud", [])).toBeUndefined();
  });
});

describe("a router of the user's own", () => {
  test("holds to what every router holds", () => {
    expect(problemsOf(complete)).toEqual([]);
    expect(problemsOf({ ...complete, weights: false })).toEqual([]);
    const beside = [
      { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", suffix: "edge", spec: () => ({}) },
    ];
    expect(problemsOf({ ...complete, beside })).toEqual([]);
    expect(defineRouter(complete)).toBe("own:apisix");
  });

  test("asks for the right to each object that it writes, and to no other", () => {
    const config = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", spec: () => ({}) };
    const { group, version, kind, plural } = route;
    const upstream = { group, version, kind, plural, spec: () => ({}) };
    const router = routerNamed(
      defineRouter({
        ...complete,
        name: "besides",
        beside: [
          { ...config, suffix: "edge" },
          { ...config, suffix: "tls" },
          { ...upstream, suffix: "beside" },
        ],
      }),
    );
    const of = router.rights.map(({ kind, names }) => [
      kind.kind,
      typeof names === "function" ? names(objectNames("fraud")) : names,
    ]);
    expect(of).toEqual([
      ["ApisixRoute", ["fraud", "fraud-beside"]],
      ["ConfigMap", ["fraud-edge", "fraud-tls"]],
    ]);
    expect(router.kinds.map(({ kind }) => kind)).toEqual(["ApisixRoute", "ConfigMap"]);
  });

  test("that stumbles over what somebody else wrote sees nothing there, and bars no way back", () => {
    const router = routerNamed(
      defineRouter({
        name: "stumbles",
        route: {
          ...route,
          weights: (spec) =>
            (spec as { http: { backends: { name: string }[] }[] }).http.flatMap((one) => one.backends),
          claims: (spec) => (spec as { http: { path: string }[] }).http.map(({ path }) => ({ path })),
          addresses: (status) => (status as { ips: string[] }).ips.map((ip) => ip),
        },
      }),
    );
    const foreign = { kind: "ApisixRoute", metadata: { name: "fraud" }, spec: { stream: [] } };
    expect(router.read("fraud", [foreign])).toBeUndefined();
    expect(router.claim(foreign).spec?.rules).toEqual([]);
    expect(router.front(foreign).addresses).toEqual([]);
  });

  test("says what to do where its file was not read", () => {
    expect(() => routerNamed("own:elsewhere")).toThrow(
      /is in the model's configuration file, which was not read/,
    );
  });

  // Each of these is a mistake that costs requests, or a way back.
  test.each<readonly [string, Partial<OwnRouter["route"]>, RegExp]>([
    [
      "shares that are never written",
      { spec: (about) => route.spec({ ...about, shares: { blue: 100, green: 0 } }) },
      /all traffic on blue and all traffic on green are the same/,
    ],
    [
      "shares that are rounded",
      {
        spec: (about) =>
          route.spec({
            ...about,
            shares: {
              blue: Math.round(about.shares.blue / 10) * 10,
              green: 100 - Math.round(about.shares.blue / 10) * 10,
            },
          }),
      },
      /written: main blue, 1 % to green; read: main blue, 0 % to green/,
    ],
    [
      "slots that are mixed up when read",
      {
        weights: (spec) =>
          [...route.weights(spec)].map(({ name, weight }) => ({
            name: name === "fraud-blue" ? "fraud-green" : name === "fraud-green" ? "fraud-blue" : name,
            weight,
          })),
      },
      /written: main/,
    ],
    [
      "Services of others that are taken for its own",
      {
        weights: (spec) =>
          route
            .weights(spec)
            .map(({ weight }, index) => ({ name: index === 0 ? "fraud-blue" : "fraud-green", weight })),
      },
      /not the model's/,
    ],
    [
      "a preview that is only claimed",
      {
        spec: (about) => {
          const { http } = route.spec(about) as { http: object[] };
          return { http: http.slice(0, 1) };
        },
      },
      /no object names the header X-Modelswitch-Preview/,
    ],
    ["hosts that are not seen", { claims: () => [] }, /is not seen to claim ml.example.com \/fraud/],
    [
      "an object that is made anew each time",
      { spec: (about) => ({ ...route.spec(about), at: Math.random() }) },
      /called twice it wrote two different things/,
    ],
    [
      "a function that throws",
      {
        spec: () => {
          throw new Error("no such field");
        },
      },
      /no such field/,
    ],
  ])("is found to have %s", (_what, wrong, said) => {
    const found = problemsOf({ ...complete, route: { ...route, ...wrong } });
    expect(found.join("\n")).toMatch(said);
  });

  test.each<readonly [string, unknown, RegExp]>([
    ["no name", { route }, /name must be lower-case/],
    ["a name of other letters", { ...complete, name: "My Mesh" }, /name must be lower-case/],
    ["no route", { name: "mesh" }, /route is missing/],
    ["no kind", { name: "mesh", route: { ...route, kind: undefined } }, /route\.kind must be a text/],
    ["no group", { name: "mesh", route: { ...route, group: undefined } }, /"" is the core group/],
    [
      "no way to read",
      { name: "mesh", route: { ...route, weights: undefined } },
      /route\.weights must be a function/,
    ],
    [
      "an object beside without a name",
      { name: "mesh", route, beside: [{ ...route, suffix: "" }] },
      /beside\[0\]\.suffix must be a text/,
    ],
    [
      "an object beside that is the slot's Service",
      { name: "mesh", route, beside: [{ ...service, suffix: "blue" }] },
      /beside\[0\]\.suffix "blue" would make it the Service that the model has itself/,
    ],
    [
      "an object beside of too long a name",
      { name: "mesh", route, beside: [{ ...service, suffix: "certificate" }] },
      /at most 10 characters/,
    ],
    [
      "two objects beside of one name",
      {
        name: "mesh",
        route,
        beside: [
          { ...service, suffix: "a" },
          { ...route, suffix: "a" },
          { ...service, suffix: "a" },
        ],
      },
      /names the same Service as beside\[0\]/,
    ],
    ["nothing at all", undefined, /name must be lower-case/],
  ])("with %s is refused when it is defined", (_what, own, said) => {
    expect(() => defineRouter(own as OwnRouter)).toThrow(said);
  });

  test("whose spec is no object is refused when it is planned", () => {
    const name: OwnRouterName = defineRouter({
      ...complete,
      name: "empty",
      route: { ...route, spec: () => undefined as never },
    });
    expect(() => routerNamed(name).objects(input)).toThrow(/returned undefined, and no object/);
  });
});
