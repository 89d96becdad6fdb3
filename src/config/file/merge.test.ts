import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Layer, mergeLayers, originOf, pathKey } from "./merge.ts";

const layers = (...values: unknown[]): Layer[] =>
  values.map((value, index) => ({ file: `/f${index}.yaml`, at: [`part${index}`], value }));
const merged = (...values: unknown[]) => mergeLayers(layers(...values)).value;

describe("layers", () => {
  test.each<[string, unknown[], unknown]>([
    ["objects merge", [{ a: { x: 1 } }, { a: { y: 2 } }], { a: { x: 1, y: 2 } }],
    ["scalars replace", [{ a: 1 }, { a: 2 }], { a: 2 }],
    ["lists replace", [{ a: [1, 2] }, { a: [3] }], { a: [3] }],
    [
      "null removes",
      [
        { a: 1, b: { c: 1, d: 2 } },
        { a: null, b: { c: null } },
      ],
      { b: { d: 2 } },
    ],
    ["null removes what is not there, too", [{ a: 1 }, { b: null }], { a: 1 }],
    ["null in a new object leaves nothing", [{}, { a: { b: null, c: 1 } }], { a: { c: 1 } }],
    ["at the bottom null stays, for the validation", [{ a: null }], { a: null }],
    ["what was removed can come back", [{ a: { x: 1 } }, { a: null }, { a: { y: 2 } }], { a: { y: 2 } }],
    ["undefined says nothing", [{ a: 1 }, { a: undefined }], { a: 1 }],
    ["an object replaces a scalar", [{ a: 1 }, { a: { b: 2 } }], { a: { b: 2 } }],
    [
      "a model server replaces another whole",
      [{ server: { httpPort: 1, liveness: {} } }, { server: { httpPort: 2 } }],
      { server: { httpPort: 2 } },
    ],
    [
      "of two kinds of a thing the later one",
      [{ a: { from: { kind: "header", name: "x" } } }, { a: { from: { kind: "body" } } }],
      { a: { from: { kind: "body" } } },
    ],
  ])("%s", (_what, values, expected) => {
    expect(merged(...values)).toEqual(expected);
  });

  test("each value knows where it was written", () => {
    const { origins } = mergeLayers(
      layers({ a: { x: 1, y: 1 }, list: [{ name: "n" }] }, { a: { y: 2 } }, { a: { z: null } }),
    );
    expect(originOf(origins, ["a", "x"])).toEqual({ file: "/f0.yaml", path: ["part0", "a", "x"] });
    expect(originOf(origins, ["a", "y"])).toEqual({ file: "/f1.yaml", path: ["part1", "a", "y"] });
    // In a list, and where a key is missing, the part that holds it.
    expect(originOf(origins, ["list", 0, "name"])).toEqual({
      file: "/f0.yaml",
      path: ["part0", "list", 0, "name"],
    });
    expect(originOf(origins, ["nothing"])).toBeUndefined();
  });

  test("what was replaced leaves no trace", () => {
    const { origins } = mergeLayers(layers({ server: { liveness: { path: "/" } } }, { server: "mlserver" }));
    expect(origins.has(pathKey(["server", "liveness"]))).toBe(false);
    expect(originOf(origins, ["server"])?.file).toBe("/f1.yaml");
  });

  const plain = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, fc.integer(), fc.string(), fc.array(fc.integer()), tie("object")),
    object: fc.dictionary(fc.constantFrom("a", "b", "c", "server"), tie("value")),
  })).object;

  test("one layer is itself; a layer over itself changes nothing; nothing over it changes nothing", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(merged(value)).toEqual(value);
        expect(merged(value, value)).toEqual(value);
        expect(merged(value, {})).toEqual(value);
        expect(merged({}, value)).toEqual(value);
      }),
    );
  });

  test("layers are not changed", () => {
    fc.assert(
      fc.property(plain, plain, (below, above) => {
        const before = JSON.stringify([below, above]);
        merged(below, above);
        expect(JSON.stringify([below, above])).toBe(before);
      }),
    );
  });
});
