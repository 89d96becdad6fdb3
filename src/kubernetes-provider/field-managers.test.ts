import { describe, expect, test } from "vitest";
import { covers, isPredecessorName, keepIgnored, takeOver } from "./field-managers.ts";
import type { PropertyMap } from "./struct.ts";

const entry = (
  manager: string,
  operation: string,
  fieldsV1: PropertyMap,
  more: PropertyMap = {},
): PropertyMap => ({
  manager,
  operation,
  fieldsV1,
  ...more,
});

const object = (managedFields: PropertyMap[], data: PropertyMap = {}): PropertyMap => ({
  metadata: { name: "c", resourceVersion: "7", managedFields },
  data,
});

describe("takeOver", () => {
  test("makes the resource's field manager the owner of what the creator and kubectl own", () => {
    const status = entry("controller", "Update", { "f:status": {} }, { subresource: "status" });
    const live = object([
      entry("pulumi-kubernetes", "Update", { "f:data": { "f:a": {} } }),
      entry("kubectl-patch", "Update", { "f:data": { "f:b": {} } }),
      status,
    ]);
    expect(takeOver(live, "pulumi-kubernetes-12345678")).toEqual([
      {
        op: "replace",
        path: "/metadata/managedFields",
        value: [entry("pulumi-kubernetes-12345678", "Apply", { "f:data": { "f:a": {}, "f:b": {} } }), status],
      },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
    ]);
  });

  test("has nothing to do for objects that it owns already, and leaves others' fields alone", () => {
    const live = object([
      entry("pulumi-kubernetes-12345678", "Apply", { "f:data": {} }),
      entry("operator", "Update", { "f:data": { "f:b": {} } }),
    ]);
    expect(takeOver(live, "pulumi-kubernetes-12345678")).toBeUndefined();
    expect(isPredecessorName("kubectl-edit")).toBe(true);
    expect(isPredecessorName("operator")).toBe(false);
  });
});

describe("keepIgnored", () => {
  const inputs: PropertyMap = { data: { a: "declared", b: "declared", c: "declared" } };
  const live = object(
    [
      entry("us", "Apply", { "f:data": { "f:a": {} } }),
      entry("operator", "Update", { "f:data": { "f:b": {} } }),
    ],
    { a: "live", b: "live" },
  );

  test("leaves out what another owns, and sends what is there for what nobody else owns", () => {
    expect(keepIgnored(inputs, live, ["data.a", "data.b"], "us")).toEqual({
      data: { a: "live", c: "declared" },
    });
    expect(keepIgnored(inputs, live, ["data.c"], "us")).toEqual(inputs);
  });
});

describe("covers", () => {
  test.each([
    [{ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: [{ x: 1, y: 2 }] }, { a: [{ x: 1 }] }, true],
    [{ a: [1, 2] }, { a: [1] }, false],
    [{}, { a: 1 }, false],
  ])("%j covers %j: %s", (live, declared, expected) => {
    expect(covers(live, declared)).toBe(expected);
  });
});
