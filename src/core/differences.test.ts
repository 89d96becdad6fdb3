import { expectTypeOf, test } from "vitest";
import type { Difference } from "./differences.ts";

interface Settings {
  readonly name: string;
  readonly size?: number;
  readonly hosts?: readonly string[];
  readonly from: { readonly kind: "a"; readonly path: string } | { readonly kind: "b" };
}
type Schema = {
  name: string;
  size?: number | undefined;
  hosts?: string[] | undefined;
  from: { kind: "a"; path: string } | { kind: "b" };
};

test("a schema and a type that say the same do not differ", () => {
  expectTypeOf<Difference<Schema, Settings>>().toEqualTypeOf<never>();
  // What the schema leaves open is not compared.
  expectTypeOf<Difference<{ [key: string]: unknown; name: string }, Settings>>().toEqualTypeOf<never>();
});

test("where they differ, the path is named", () => {
  expectTypeOf<Difference<Schema & { more: 1 }, Settings>>().toEqualTypeOf<"more: in the schema alone">();
  expectTypeOf<Difference<Omit<Schema, "size">, Settings>>().toEqualTypeOf<"size: in the type alone">();
  expectTypeOf<
    Difference<Omit<Schema, "size"> & { size: number }, Settings>
  >().toEqualTypeOf<"size: required in one of them alone">();
  expectTypeOf<
    Difference<Omit<Schema, "hosts"> & { hosts?: number[] }, Settings>
  >().toEqualTypeOf<"hosts[]: more in the schema">();
  expectTypeOf<
    Difference<Omit<Schema, "from"> & { from: { kind: "a"; path: string } | { kind: "c" } }, Settings>
  >().toEqualTypeOf<"from.kind: more in the schema">();
});
