import { describe, expect, test } from "vitest";
import { hasExpressions, interpolate, textsIn, withValueAt } from "./interpolate.ts";

const env = { TAG: "1.5", EMPTY: "", REGISTRY_HOST: "registry.example.com" };

describe("environment variables in texts", () => {
  test.each([
    ["registry/fraud:${env:TAG}", "registry/fraud:1.5"],
    ["${env:REGISTRY_HOST}/fraud:${env:TAG}", "registry.example.com/fraud:1.5"],
    ["${env:NONE:-1.4}", "1.4"],
    ["${env:NONE:-}", ""],
    ["${env:NONE:-http://a:80}", "http://a:80"],
    ["${env:TAG:-1.4}", "1.5"],
    ["${env:EMPTY}", ""],
    ["${env:EMPTY:-x}", "x"],
    ["$${env:TAG}", "${env:TAG}"],
    // Not ours: Kubernetes' and the shell's own.
    ["$(TAG) ${TAG} ${TAG:-x} $TAG", "$(TAG) ${TAG} ${TAG:-x} $TAG"],
    ["${secret:TAG}", "${secret:TAG}"],
  ])("%s is %s", (text, expected) => {
    expect(interpolate(text, env)).toMatchObject({ text: expected, problems: [] });
  });

  test.each([
    [
      "${env:NONE}",
      "needs the environment variable NONE, which is not set; set it, or write ${env:NONE:-default}",
    ],
    ["${env:REGISTRY_HOTS}", "did you mean REGISTRY_HOST, which is set?"],
    ["${evn:TAG}", '"evn" in ${evn:TAG} is no source of values; did you mean "${env:TAG}"?'],
    ["${env:}", "${env:} names no environment variable"],
    ["${env:A-B}", "${env:A-B} names no environment variable"],
  ])("%s is refused", (text, expected) => {
    const { problems } = interpolate(text, env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test("the value of a variable is not looked at again", () => {
    expect(interpolate("${env:A}", { A: "${env:B}", B: "x" }).text).toBe("${env:B}");
  });

  test("says whose values are in it", () => {
    expect(interpolate("${env:TAG}-${env:NONE:-x}", env).variables).toEqual(["TAG"]);
    expect(hasExpressions("a ${env:TAG}")).toBe(true);
    expect(hasExpressions("a ${TAG}")).toBe(false);
  });
});

test("texts are found and replaced wherever they are", () => {
  const value = { a: "x", b: [{ c: "y" }, 5], d: null };
  expect(textsIn(value)).toEqual([
    { path: ["a"], text: "x" },
    { path: ["b", 0, "c"], text: "y" },
  ]);
  expect(withValueAt(value, ["b", 0, "c"], "z")).toEqual({ a: "x", b: [{ c: "z" }, 5], d: null });
});
