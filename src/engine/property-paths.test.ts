import { describe, expect, test } from "vitest";
import { valueAt } from "../core/fields.ts";
import { differences, joinPath, presentable, splitPath } from "./property-paths.ts";

describe("property paths", () => {
  test.each([
    ["spec.rules[0].host", ["spec", "rules", 0, "host"]],
    [
      'metadata.annotations["nginx.ingress.kubernetes.io/canary"]',
      ["metadata", "annotations", "nginx.ingress.kubernetes.io/canary"],
    ],
    ['data["a\\"b"]', ["data", 'a"b']],
    ["spec", ["spec"]],
  ])("%s is split and joined again", (path, parts) => {
    expect(splitPath(path)).toEqual(parts);
    expect(joinPath(parts)).toBe(path);
  });

  test("lead to values, and to undefined where there is none", () => {
    expect(valueAt({ a: [{ b: 1 }] }, ["a", 0, "b"])).toBe(1);
    expect(valueAt({ a: 1 }, ["a", "b"])).toBeUndefined();
  });
});

describe("differences", () => {
  test("name each leaf that differs", () => {
    const before = { spec: { replicas: 1, ports: [{ port: 80 }], gone: true } };
    const after = { spec: { replicas: 2, ports: [{ port: 80 }, { port: 81 }] }, __fieldManager: "x" };
    expect(differences(before, after)).toEqual([
      { path: "spec.replicas", before: 1, after: 2 },
      { path: "spec.ports[1]", after: { port: 81 } },
      { path: "spec.gone", before: true },
    ]);
  });
});

describe("values for people", () => {
  test("name what is secret or not yet known", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "hush" };
    expect(presentable({ secret, later: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", plain: [1, null] })).toEqual({
      secret: "[secret]",
      later: "[unknown]",
      plain: [1, null],
    });
  });
});
