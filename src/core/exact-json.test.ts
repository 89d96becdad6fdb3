import { describe, expect, test } from "vitest";
import { infinityIn, parseExact, writeExact } from "./exact-json.ts";

describe("JSON with exact integers", () => {
  test.each([
    '{"id":1357924680135792469,"x":[0.1,-9007199254740993,1e20]}',
    '{"id":18446744073709551615}',
    '["12345678901234567890"]',
    "9007199254740992",
    "0.12345678901234568",
  ])("%s is written as it was read", (text) => {
    expect(writeExact(parseExact(text))).toBe(text.replace("1e20", "100000000000000000000"));
  });

  test("what fits into a double is a number", () => {
    expect(parseExact('{"a":1234567890123456,"b":100000000000000000000,"c":1.5}')).toEqual({
      a: 1_234_567_890_123_456,
      b: 1e20,
      c: 1.5,
    });
    expect(parseExact("9007199254740993")).toBe(9_007_199_254_740_993n);
  });

  test("what is too large for any double is found", () => {
    expect(infinityIn(parseExact('{"a":[1,{"b":1e999}]}'))).toBe("a.1.b");
    expect(infinityIn({ a: [1, 2] })).toBeUndefined();
    expect(infinityIn(Number.NEGATIVE_INFINITY)).toBe("");
  });
});
