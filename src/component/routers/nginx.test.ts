import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settledOn } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { nginx } from "./nginx.ts";
import type { RouterInput } from "./router.ts";

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: settledOn("blue"),
  ingress: { host: "mlmodels.example.com" },
  previewHeader: "X-Modelswitch-Preview",
  servicePort: 80,
};

function objects(changes: Partial<RouterInput> = {}) {
  const [main, canary] = nginx.objects({ ...input, ...changes });
  if (main === undefined || canary === undefined) throw new Error("two objects expected");
  return { main, canary };
}

const backendOf = (object: ReturnType<typeof objects>["main"]) =>
  object.spec.rules[0]?.http.paths[0]?.backend.service;

const anyRouting = fc.record({
  main: fc.constantFrom(...slots),
  candidate: fc.constantFrom(...slots),
  weight: fc.integer({ min: 0, max: 100 }),
});

describe("the nginx router", () => {
  test("writes a main and a canary Ingress for the same host and path", () => {
    const { main, canary } = objects({ routing: { main: "blue", candidate: "green", weight: 25 } });
    expect(main.metadata.name).toBe("fraud");
    expect(canary.metadata.name).toBe("fraud-canary");
    expect(backendOf(main)).toEqual({ name: "fraud-blue", port: { number: 80 } });
    expect(backendOf(canary)).toEqual({ name: "fraud-green", port: { number: 80 } });
    expect(canary.spec.rules[0]?.host).toBe(main.spec.rules[0]?.host);
    expect(canary.metadata.annotations).toEqual({
      "nginx.ingress.kubernetes.io/canary": "true",
      "nginx.ingress.kubernetes.io/canary-weight": "25",
      "nginx.ingress.kubernetes.io/canary-by-header": "X-Modelswitch-Preview",
      "pulumi.com/skipAwait": "true",
    });
  });

  test("sets the class by its field and by nothing else", () => {
    const { main, canary } = objects();
    for (const object of [main, canary]) {
      expect(object.spec.ingressClassName).toBe("nginx");
      expect(object.metadata.annotations).not.toHaveProperty("kubernetes.io/ingress.class");
    }
    expect(objects({ ingress: { host: "h", className: "public" } }).main.spec.ingressClassName).toBe(
      "public",
    );
  });

  test("names the class by the annotation of old where that is asked for", () => {
    const { main, canary } = objects({ ingress: { host: "h", className: "public", classAnnotation: true } });
    for (const object of [main, canary]) {
      expect(object.spec).not.toHaveProperty("ingressClassName");
      expect(object.metadata.annotations).toHaveProperty(["kubernetes.io/ingress.class"], "public");
    }
  });

  test("sends all hosts and paths to the same slot, in main and canary Ingress alike", () => {
    const ingress = {
      host: "a.test",
      path: "/x",
      also: [{ host: "b.test" }, { path: "/y", pathType: "Exact" as const }],
      tls: [{ secretName: "certificate" }],
    };
    const { main, canary } = objects({ ingress });
    const places = ({ spec }: typeof main) =>
      spec.rules.map(({ host, http }) => [
        host,
        http.paths.map(({ path, pathType, backend }) => [path, pathType, backend.service.name]),
      ]);
    expect(places(main)).toEqual([
      [
        "a.test",
        [
          ["/x", "Prefix", "fraud-blue"],
          ["/y", "Exact", "fraud-blue"],
        ],
      ],
      ["b.test", [["/", "Prefix", "fraud-blue"]]],
    ]);
    expect(JSON.stringify(places(canary)).replaceAll("green", "blue")).toBe(JSON.stringify(places(main)));
    expect(main.spec.tls).toEqual([{ hosts: ["a.test", "b.test"], secretName: "certificate" }]);
    expect(nginx.read("fraud", [main, canary])).toEqual(settledOn("blue"));
  });

  test("reads every routing that it writes", () => {
    fc.assert(
      fc.property(anyRouting, (routing) => {
        expect(nginx.read("fraud", nginx.objects({ ...input, routing }))).toEqual(routing);
      }),
    );
  });

  test("puts certificates and free annotations on the main Ingress alone", () => {
    const { main, canary } = objects({
      ingress: {
        host: "mlmodels.example.com",
        tls: [{ secretName: "cert" }],
        annotations: {
          "cert-manager.io/cluster-issuer": "le",
          "nginx.ingress.kubernetes.io/load-balance": "ewma",
        },
      },
    });
    expect(main.spec.tls).toEqual([{ hosts: ["mlmodels.example.com"], secretName: "cert" }]);
    expect(main.metadata.annotations).toHaveProperty("cert-manager.io/cluster-issuer", "le");
    expect(canary.spec).not.toHaveProperty("tls");
    expect(canary.metadata.annotations).not.toHaveProperty("cert-manager.io/cluster-issuer");
    // ingress-nginx reads this one from the canary itself.
    expect(canary.metadata.annotations).toHaveProperty("nginx.ingress.kubernetes.io/load-balance", "ewma");
  });

  test("refuses annotations that it writes itself, quoting both sides", () => {
    const annotations = { "nginx.ingress.kubernetes.io/canary-weight": "10" };
    expect(() => objects({ ingress: { host: "h", annotations } })).toThrow(
      'ingress.annotations has "nginx.ingress.kubernetes.io/canary-weight": "10", but the router "nginx" writes "0" there.',
    );
  });

  test("refuses canary annotations that would change its meaning", () => {
    const annotations = { "nginx.ingress.kubernetes.io/canary-weight-total": "1000" };
    expect(() => objects({ ingress: { host: "h", annotations } })).toThrow(
      /all canary annotations belong to the router "nginx"/,
    );
  });

  test("refuses the old class annotation beside the class field", () => {
    const annotations = { "kubernetes.io/ingress.class": "nginx" };
    expect(() => objects({ ingress: { host: "h", annotations } })).toThrow(
      /API servers refuse an Ingress with both/,
    );
  });

  test("says shares below one per cent out of ten thousand", () => {
    const canaryAt = (weight: number) =>
      objects({ routing: { main: "blue", candidate: "green", weight } }).canary.metadata.annotations;
    const [share, total] = ["canary-weight", "canary-weight-total"].map(
      (name) => `nginx.ingress.kubernetes.io/${name}`,
    ) as [string, string];
    expect(canaryAt(0.5)).toMatchObject({ [share]: "50", [total]: "10000" });
    expect(canaryAt(5)).toMatchObject({ [share]: "5" });
    expect(canaryAt(5)).not.toHaveProperty([total]);
  });

  test.each([-1, 101, 0.125, Number.NaN])("refuses the weight %d", (weight) => {
    expect(() => objects({ routing: { main: "blue", candidate: "green", weight } })).toThrow(/weight/);
  });

  test("takes a missing canary Ingress for weight 0", () => {
    expect(nginx.read("fraud", [objects().main])).toEqual(settledOn("blue"));
  });

  test.each([
    ["nothing", []],
    ["no backend", [{ metadata: { name: "fraud" } }]],
    ["a foreign backend", [ingress("fraud", ["other"])]],
    ["two backends of the model", [ingress("fraud", ["fraud-blue", "fraud-green"])]],
    [
      "a foreign canary backend",
      [ingress("fraud", ["fraud-blue"]), ingress("fraud-canary", ["x"], { canary: "true" })],
    ],
  ])("reads nothing from %s", (_what, observed) => {
    expect(nginx.read("fraud", observed)).toBeUndefined();
  });

  test.each([
    ["that is none", { canary: "false", "canary-weight": "10" }, 0],
    ["with a broken weight", { "canary-weight": "lots" }, 0],
    ["with half a per cent as nobody reads it", { "canary-weight": "0.5" }, 0],
    ["with less than nothing", { "canary-weight": "-5" }, 0],
    ["with more than everything", { "canary-weight": "120" }, 100],
    ["with a weight of another total", { "canary-weight": "300", "canary-weight-total": "1000" }, 30],
    ["with hardly anything", { "canary-weight": "1", "canary-weight-total": "1000" }, 0.1],
    ["with next to nothing", { "canary-weight": "1", "canary-weight-total": "1000000" }, 0.01],
  ])(
    "reads a canary %s as controllers do: nothing by hand bars the way back",
    (_what, annotations, weight) => {
      expect(nginx.read("fraud", canaryOf(annotations))).toMatchObject({ candidate: "green", weight });
    },
  );

  test("looks past paths that somebody else added to the main Ingress", () => {
    expect(nginx.read("fraud", [ingress("fraud", ["docs", "fraud-green"])])).toEqual(settledOn("green"));
  });
});

function ingress(
  name: string,
  services: readonly string[],
  annotations: Readonly<Record<string, string>> = {},
) {
  return {
    metadata: {
      name,
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
      ),
    },
    spec: {
      rules: [{ http: { paths: services.map((service) => ({ backend: { service: { name: service } } })) } }],
    },
  };
}

function canaryOf(annotations: Readonly<Record<string, string>>) {
  return [
    ingress("fraud", ["fraud-blue"]),
    ingress("fraud-canary", ["fraud-green"], { canary: "true", ...annotations }),
  ];
}
