import { describe, expect, test } from "vitest";
import { checkOptions } from "./checks.ts";
import type { StackOptions } from "./stack.ts";

type Options = Pick<StackOptions, "project" | "stack" | "backendUrl" | "secrets">;
const passphrase = { kind: "passphrase", passphrase: "" } as const;
const good: Options = { project: "fraud", stack: "models", secrets: passphrase };

describe("what Pulumi takes", () => {
  test.each<Partial<Options>>([
    {},
    { stack: "acme/fraud/prod" },
    { backendUrl: "s3://bucket?region=eu-west-1" },
    { backendUrl: "file:///state" },
    { secrets: { kind: "provider", url: "gcpkms://projects/x" } },
    { secrets: { kind: "provider", url: "default" } },
  ])("is taken: %j", (more) => {
    expect(() => checkOptions({ ...good, ...more })).not.toThrow();
  });

  test.each<[string, Partial<Options>]>([
    ["project-name-invalid", { project: "a b" }],
    ["stack-name-invalid", { stack: "a//b" }],
    ["stack-name-invalid", { stack: "a/b/c/d" }],
    ["backend-invalid", { backendUrl: "ftp://user:key@host" }],
    ["secrets-provider-invalid", { secrets: { kind: "provider", url: "vault" } }],
  ])("is said before the CLI starts: %s", (code, more) => {
    expect(() => checkOptions({ ...good, ...more })).toThrow(expect.objectContaining({ code, exitCode: 2 }));
  });

  test("is said without credentials", () => {
    expect(() => checkOptions({ ...good, backendUrl: "ftp://user:key@host" })).toThrow(/^(?!.*user:key)/);
  });
});
