import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { routerNames } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { apiVersionOf } from "../../core/object-kind.ts";
import { type Routing, settled, settledOn, stepsTo } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { changeBetween } from "./change.ts";
import { routerNamed } from "./factory.ts";
import type { RouterInput } from "./router.ts";

/** What holds for every router, whichever there are. */
const anyInput: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: settledOn("blue"),
  ingress: {
    host: "ml.example.com",
    path: "/fraud",
    also: [{ path: "/spam" }],
    gateway: { name: "edge", namespace: "gateways" },
  },
  previewHeader: "X-Modelswitch-Preview",
  servicePort: 80,
};

const anyRouting: fc.Arbitrary<Routing> = fc.record({
  main: fc.constantFrom(...slots),
  candidate: fc.constantFrom(...slots),
  weight: fc.integer({ min: 0, max: 100 }),
});

describe.each(routerNames)("the router %s", (name) => {
  const router = routerNamed(name);
  const input: RouterInput = router.isForGrpc
    ? {
        ...anyInput,
        ingress: { host: "ml.example.com", protocol: "grpc", gateway: { name: "edge" } },
      }
    : anyInput;
  const { weights, commit, header } = router.capabilities;
  const asRead = (routing: Routing) =>
    !weights ? settledOn(routing.main) : commit ? routing : settled(routing);
  /** Without weights there is nothing between the slots. */
  const expressible = (routing: Routing) => (weights ? routing : settledOn(routing.main));

  test("writes what it names, the main object first, each of a kind that it needs", () => {
    const objects = router.objects(input);
    const refs = router.refs("fraud");
    expect(objects.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name])).toEqual(
      refs.map((ref) => [apiVersionOf(ref.kind), ref.kind.kind, ref.name]),
    );
    expect(refs[0].name).toBe("fraud");
    const kinds = new Set(refs.map(({ kind }) => kind.kind));
    expect(new Set(router.kinds.map(({ kind }) => kind))).toEqual(kinds);
    expect(new Set(router.rights.map(({ kind }) => kind.kind))).toEqual(kinds);
    for (const { metadata } of objects) {
      expect(metadata.namespace).toBe("ml");
      expect(metadata.labels["app.kubernetes.io/managed-by"]).toBe("modelswitch");
    }
  });

  test("keeps the names of objects within what Kubernetes takes", () => {
    for (const { name: object } of router.refs("m".repeat(52))) expect(object.length).toBeLessThanOrEqual(63);
  });

  test("reads what it has written", () => {
    fc.assert(
      fc.property(anyRouting, (given) => {
        const routing = expressible(given);
        expect(router.read("fraud", router.objects({ ...input, routing }))).toEqual(asRead(routing));
      }),
    );
  });

  test("reads nothing in objects of others, and none where there are none", () => {
    const others = router.objects({ ...input, model: "spam" });
    expect(router.read("fraud", others)).toBeUndefined();
    expect(router.read("fraud", [])).toBeUndefined();
    const foreign = router.objects({
      ...input,
      names: { ...objectNames("fraud"), service: { blue: "x", green: "y" } },
    });
    expect(router.read("fraud", foreign)).toBeUndefined();
  });

  test("takes each step by a change of one object, and none where nothing changes", () => {
    fc.assert(
      fc.property(fc.constantFrom(...slots), anyRouting, fc.boolean(), (target, given, mainIsEmpty) => {
        let at = asRead(expressible(given));
        for (const { routing } of stepsTo(target, at, router.capabilities, { mainIsEmpty })) {
          expect(changeBetween(router, input, at, routing)).toBeDefined();
          expect(changeBetween(router, input, routing, at)).toBeDefined();
          expect(changeBetween(router, input, routing, routing)).toBeUndefined();
          at = asRead(routing);
        }
        expect(at).toEqual(settledOn(target));
      }),
    );
  });

  test("forces each side where it can preview, and says so", () => {
    const routing: Routing = { main: "blue", candidate: "green", weight: 25 };
    const values = (["main", "candidate"] as const).map((side) => router.force(routing, side));
    if (header) expect(new Set(values).size).toBe(2);
    else expect(values).toEqual([undefined, undefined]);
  });

  test("claims its hosts and paths, so that others are found to have them", () => {
    const [main] = router.objects(input);
    if (main === undefined) throw new Error("there is a main object");
    const rules = router.claim(main).spec?.rules ?? [];
    const places = rules.flatMap(({ host, http }) =>
      (http?.paths ?? []).map(({ path, pathType }) => `${host} ${path} ${pathType}`),
    );
    expect([...new Set(places)].toSorted()).toEqual(
      router.isForGrpc
        ? ["ml.example.com / Prefix"]
        : ["ml.example.com /fraud Prefix", "ml.example.com /spam Prefix"],
    );
    expect(router.front({ ...main }).name).toBe("fraud");
  });
});
