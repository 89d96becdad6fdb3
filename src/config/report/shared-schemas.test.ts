import { expect, test } from "vitest";
import { withShared } from "./shared-schemas.ts";

const long = { type: "object", description: "x".repeat(200), properties: { a: { type: "string" } } };

test("what occurs twice is written once, and nothing else changes", () => {
  const schema = {
    type: "object",
    properties: { one: long, two: { anyOf: [long, { type: "null" }] }, properties: { type: "number" } },
    $defs: { known: { type: "string" } },
  };
  const shared = { $ref: "#/$defs/shared-1" };
  expect(withShared(schema)).toEqual({
    type: "object",
    properties: { one: shared, two: { anyOf: [shared, { type: "null" }] }, properties: { type: "number" } },
    $defs: { known: { type: "string" }, "shared-1": long },
  });
});

test("one that stands inside another that is shared, too, is written once", () => {
  const outer = { type: "object", description: "y".repeat(200), properties: { inner: long } };
  const made = withShared({ properties: { a: outer, b: outer, c: long } });
  expect(JSON.stringify(made).split("xxxx".repeat(50))).toHaveLength(2);
  expect(made.properties).toMatchObject({ a: made.properties && { $ref: expect.any(String) } });
});
