import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

interface VectorFile {
  readonly vectors: readonly { readonly name: string; readonly cases: readonly object[] }[];
}

const { vectors } = JSON.parse(
  readFileSync(join(import.meta.dirname, "vectors.fixture.json"), "utf8"),
) as VectorFile;

/** Names of all vectors in the file. */
export const vectorNames: readonly string[] = vectors.map(({ name }) => name);

export interface Case<In, Out> {
  readonly in: In;
  readonly out: Out;
}

/** The cases of one vector, for `test.each`. */
export function casesOf<In, Out>(name: string): readonly Case<In, Out>[] {
  const found = vectors.find((vector) => vector.name === name);
  if (found === undefined) throw new Error(`There is no vector ${name}.`);
  return found.cases as readonly Case<In, Out>[];
}

/** Equal to a relative 1e-6; the reference values are of 40-digit arithmetic. */
export function expectClose(actual: number | undefined, expected: number, relative = 1e-6): void {
  const off = Math.abs((actual ?? Number.NaN) - expected);
  expect(off, `${actual} is not ${expected}`).toBeLessThanOrEqual(
    relative * Math.max(1e-9, Math.abs(expected)),
  );
}
