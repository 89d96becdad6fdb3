import { describe, expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import type { Testers } from "../../core/testers.ts";
import { alb } from "./alb.ts";
import type { Look, ObservedObject, RouterInput } from "./router.ts";
import { albAction, albConditions, unknownOf } from "./written.fixture.ts";

const testers: Testers = { header: { name: "X-Team", value: "ml" }, cookie: { name: "tester" } };
const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "ml.example.com", className: "alb" },
  previewHeader: "X-Preview",
  servicePort: 80,
  healthPath: "/v2/health/ready",
};
const prefix = "alb.ingress.kubernetes.io/";

function written(changes: Partial<RouterInput> = {}) {
  const [ingress] = alb.objects({ ...input, ...changes });
  if (ingress === undefined) throw new Error("one object expected");
  return ingress;
}
const noteOf = (name: string, changes: Partial<RouterInput> = {}): unknown =>
  JSON.parse(written(changes).metadata.annotations[`${prefix}${name}`] ?? "null");
const groups = (...weights: readonly (readonly [slot: string, weight: number])[]) => ({
  type: "forward",
  forwardConfig: {
    targetGroups: weights.map(([slot, weight]) => ({
      serviceName: `fraud-${slot}`,
      servicePort: 80,
      weight,
    })),
  },
});
const actionsAt = ({ spec }: ReturnType<typeof written>) =>
  spec.rules.flatMap(({ http }) =>
    http.paths.map(({ path, backend }) => {
      expect(backend.service.port).toEqual({ name: "use-annotation" });
      return `${path} ${backend.service.name}`;
    }),
  );

describe("the router alb", () => {
  test("shares by an action with both target groups, after a rule for each slot by the preview header", () => {
    expect(actionsAt(written())).toEqual(["/ modelswitch-blue", "/ modelswitch-green", "/ modelswitch"]);
    expect(noteOf("actions.modelswitch")).toEqual(groups(["blue", 75], ["green", 25]));
    expect(noteOf("actions.modelswitch-green")).toEqual(groups(["green", 100]));
    expect(noteOf("conditions.modelswitch-green")).toEqual([
      { field: "http-header", httpHeaderConfig: { httpHeaderName: "X-Preview", values: ["green"] } },
    ]);
  });

  test("never changes its rules: the controller writes them one by one, by their places", () => {
    const routings: readonly Routing[] = [
      settledOn("green"),
      { ...settledOn("blue"), testers: "green" },
      { main: "blue", candidate: "green", weight: 50 },
    ];
    const { spec } = written({ testers });
    for (const routing of routings) expect(written({ testers, routing }).spec).toEqual(spec);
    expect(actionsAt(written({ testers }))).toEqual([
      "/ modelswitch-blue",
      "/ modelswitch-green",
      "/ modelswitch-testers",
      "/ modelswitch-cookie-first",
      "/ modelswitch-cookie-later",
      "/ modelswitch",
    ]);
  });

  test("testers get what everybody gets until a release goes live", () => {
    for (const action of ["testers", "cookie-first", "cookie-later"].map(
      (name) => `actions.modelswitch-${name}`,
    )) {
      expect(noteOf(action, { testers })).toEqual(groups(["blue", 75], ["green", 25]));
      const routing = { ...settledOn("blue"), testers: "green" } as const;
      expect(noteOf(action, { testers, routing })).toEqual(groups(["green", 100]));
    }
  });

  test("a cookie is told alone, first, last and in between", () => {
    const values = ["cookie-first", "cookie-later"].flatMap((name) => {
      const [condition] = noteOf(`conditions.modelswitch-${name}`, { testers }) as {
        httpHeaderConfig: { values: string[] };
      }[];
      return condition?.httpHeaderConfig.values ?? [];
    });
    const fits = (cookies: string) =>
      values.some((value) => new RegExp(`^${value.replaceAll("*", ".*")}$`).test(cookies));
    for (const cookies of [
      "tester=always",
      "tester=always; b=1",
      "a=1; tester=always",
      "a=1; tester=always; b=1",
    ])
      expect(fits(cookies)).toBe(true);
    for (const cookies of ["xtester=always", "tester=alwaysnot", "a=tester=always", "a=1; tester=never"])
      expect(fits(cookies)).toBe(false);
  });

  test("writes nothing that the controller does not know, within a load balancer's limits", () => {
    const names = "m".repeat(52);
    for (const ingress of [input.ingress, { ...input.ingress, path: "/a", also: [{ path: "/b" }] }]) {
      const { spec, metadata } = written({ model: names, ingress, testers });
      for (const [key, value] of Object.entries(metadata.annotations)) {
        // A qualified name of Kubernetes.
        expect(key.split("/").at(-1)?.length).toBeLessThanOrEqual(63);
        if (key.startsWith(`${prefix}actions.`)) expect(unknownOf(albAction, JSON.parse(value))).toEqual([]);
        if (key.startsWith(`${prefix}conditions.`))
          expect(unknownOf(albConditions, JSON.parse(value))).toEqual([]);
      }
      for (const { path, backend } of spec.rules[0]?.http.paths ?? []) {
        const conditions = JSON.parse(
          metadata.annotations[`${prefix}conditions.${backend.service.name}`] ?? "[]",
        ) as { httpHeaderConfig: { values: string[] } }[];
        const ofHeader = conditions.flatMap(({ httpHeaderConfig }) => httpHeaderConfig.values).length;
        // The host, the path, with what is below it, and the header: five values for a rule.
        expect(1 + (path === "/" ? 1 : 2) + ofHeader).toBeLessThanOrEqual(5);
      }
    }
    expect(unknownOf(albAction, { ...groups(["blue", 1]), targetGroup: "" })).not.toEqual([]);
  });

  test("leads to pods, and asks them where they say that they are well; annotations may say otherwise", () => {
    expect(written().metadata.annotations).toMatchObject({
      [`${prefix}target-type`]: "ip",
      [`${prefix}healthcheck-path`]: "/v2/health/ready",
    });
    const annotations = { [`${prefix}healthcheck-path`]: "/up", [`${prefix}group.name`]: "models" };
    expect(written({ ingress: { ...input.ingress, annotations } }).metadata.annotations).toMatchObject(
      annotations,
    );
    const grpc = written({ ingress: { ...input.ingress, protocol: "grpcs" } }).metadata.annotations;
    expect(grpc).toMatchObject({
      [`${prefix}backend-protocol`]: "HTTPS",
      [`${prefix}backend-protocol-version`]: "GRPC",
    });
    expect(grpc).not.toHaveProperty([`${prefix}healthcheck-path`]);
  });

  test.each([
    [{ className: undefined }, /ingress\.className is not said/],
    [{ tls: [{ secretName: "cert" }] }, /AWS Certificate Manager/],
    [{ annotations: { [`${prefix}actions.modelswitch`]: "{}" } }, /router "alb" writes/],
  ] as const)("refuses %j", (changes, message) => {
    const { className, ...rest } = { ...input.ingress, ...changes };
    const ingress = className === undefined ? rest : { ...rest, className };
    expect(() => written({ ingress })).toThrow(message);
  });

  test("does not read what it would not write", () => {
    const mine = written();
    const changedTo = (from: string, into: string): ObservedObject => {
      const text = JSON.stringify(mine);
      expect(text).toContain(from);
      return JSON.parse(text.replaceAll(from, into)) as ObservedObject;
    };
    expect(alb.read("fraud", [mine])).toMatchObject({ main: "blue", candidate: "green", weight: 25 });
    for (const [from, into] of [
      ['"name":"modelswitch"', '"name":"other"'],
      ['{"name":"use-annotation"}', '{"number":80}'],
      [String.raw`{\"type\":\"forward\"`, "{"],
      [
        String.raw`\"serviceName\":\"fraud-blue\",\"servicePort\":80,\"weight\":75`,
        String.raw`\"serviceName\":\"spam\"`,
      ],
    ] as const)
      expect(alb.read("fraud", [changedTo(from, into)])).toBeUndefined();
  });
});

describe("the namespace of the router alb", () => {
  const ground = (found: ObservedObject | undefined | "unseen") => {
    const look: Look = () => Promise.resolve(found);
    const about = {
      ingress: input.ingress,
      namespace: "ml",
      names: objectNames("fraud"),
      wishes: { cookie: false },
    };
    return alb.ground?.(about, look);
  };

  test("has to have pods count as ready once the load balancer finds them healthy", async () => {
    expect(await ground({ metadata: { labels: {} } })).toMatchObject({
      code: "alb-readiness-gate-missing",
      hint: "kubectl label namespace ml elbv2.k8s.aws/pod-readiness-gate-inject=enabled",
    });
    const labels = { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" };
    expect(await ground({ metadata: { labels } })).toBeUndefined();
    expect([await ground("unseen"), await ground(undefined)]).toEqual([undefined, undefined]);
  });
});
