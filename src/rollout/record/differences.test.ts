import { expect, test } from "vitest";
import { differences } from "./differences.ts";

test("names each leaf with both values, and what is not there", () => {
  const found = differences({ image: "a:1", args: ["x"] }, { image: "a:2", args: ["x"], replicas: 2 }, []);
  expect(found.map(({ text }) => text)).toEqual(["image: a:1 -> a:2", "replicas: (none) -> 2"]);
});

test("never tells values of environment variables or of anything that sounds like a secret", () => {
  const before = { env: { LEVEL: "geheim-1", OLD: "geheim-2" }, apiToken: "geheim-3" };
  const after = { env: { LEVEL: "geheim-4", NEW: "geheim-5" }, apiToken: "geheim-6" };
  const found = differences(before, after, []);
  expect(found.map(({ text }) => text)).toEqual([
    "apiToken: another value [hidden]",
    "env.LEVEL: another value [hidden]",
    "env.NEW: (none) -> [hidden]",
    "env.OLD: [hidden] -> (none)",
  ]);
  expect(JSON.stringify(found)).not.toContain("geheim");
});

test("tells what appears or goes as a whole leaf by leaf, without values that may be secrets", () => {
  const env = { LEVEL: "geheim" };
  const texts = (before: object, after: object) => differences(before, after, []).map(({ text }) => text);
  expect(texts({}, { env, resources: { limits: { cpu: "1" } } })).toEqual([
    "env.LEVEL: (none) -> [hidden]",
    "resources.limits.cpu: (none) -> 1",
  ]);
  expect(texts({ env }, {})).toEqual(["env.LEVEL: [hidden] -> (none)"]);
  expect(texts({ env: {} }, {})).toEqual([]);
});

test("leaves out the top-level keys that do not count", () => {
  expect(differences({ replicas: 1, image: "a" }, { replicas: 2, image: "a" }, ["replicas"])).toEqual([]);
});
