import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

test("keys are sorted by their UTF-16 code units, nothing is left between, as in RFC 8785", () => {
  // The example of section 3.2.3, but for its control characters.
  const value = { "\u20ac": 1, "1": 2, "\ud83d\ude00": 3, "\u00f6": 4, "\ufb33": 5 };
  expect(canonicalJson(value)).toBe('{"1":2,"\u00f6":4,"\u20ac":1,"\ud83d\ude00":3,"\ufb33":5}');
});

test("numbers and strings are written as JSON.stringify does; what is undefined is left out", () => {
  expect(canonicalJson({ b: [1e21, 0.1, "a\n"], a: undefined, c: null })).toBe(
    '{"b":[1e+21,0.1,"a\\n"],"c":null}',
  );
});
