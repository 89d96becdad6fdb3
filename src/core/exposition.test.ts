import { describe, expect, test } from "vitest";
import { sampleOf, samplesOf } from "./exposition.ts";

describe("a line of metrics", () => {
  test.each([
    ["up 1", { name: "up", labels: {}, value: 1 }],
    ["up 1 1700000000000", { name: "up", labels: {}, value: 1 }],
    [
      'a:b{code="200",service="x y"} 3e2',
      { name: "a:b", labels: { code: "200", service: "x y" }, value: 300 },
    ],
    [
      String.raw`a{path="/a} 7",note="say \"hi\"\n"} 2`,
      { name: "a", labels: { path: "/a} 7", note: 'say "hi"\n' }, value: 2 },
    ],
    ['{"http.requests", code="200"} 4', { name: "http.requests", labels: { code: "200" }, value: 4 }],
    ['a_bucket{le="+Inf"} 9 # {trace="x"} 0.1', { name: "a_bucket", labels: { le: "+Inf" }, value: 9 }],
    ["a nothing", { name: "a", labels: {}, value: Number.NaN }],
  ])("%s", (line, expected) => {
    expect(sampleOf(line)).toEqual(expected);
  });

  test.each(["", "# TYPE a counter", "<html>", "a{", "a"])("%j is none", (line) => {
    expect(sampleOf(line)).toBeUndefined();
  });
});

test("only the metrics that are named are read", () => {
  const text = 'a{x="1"} 1\nab 2\n# TYPE b counter\nb 3\n';
  expect(samplesOf(text, new Set(["a", "b"])).map(({ name }) => name)).toEqual(["a", "b"]);
});
