import { expect, test } from "vitest";
import { opensSecrets } from "./passphrase.ts";

/** Of a stack that the Pulumi CLI made (test/fixtures/upgrades/0.1.0). */
const salt = "v1:wxIMYGiR9gI=:v1:PdCdi9VaxrStOiT5:LfI/EDX9YaesFX5MHSs7H7eEMqL9UA==";

test("the passphrase that a stack was made with is recognised, and no other one", async () => {
  expect(await opensSecrets("only for tests", salt)).toBe(true);
  expect(await opensSecrets("only for test", salt)).toBe(false);
  expect(await opensSecrets("", salt)).toBe(false);
});

test("what is not understood is left to the CLI", async () => {
  expect(await opensSecrets("any", "v2:unknown")).toBe(true);
  expect(await opensSecrets("any", "v1:AAAA:v1:AAAA:")).toBe(true);
});
