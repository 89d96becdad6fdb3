import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secretsFromEnvironment } from "./secrets.ts";

const noTerminal = async (_question: string, ifNoTerminal: () => Error): Promise<string> => {
  throw ifNoTerminal();
};
const answering = async () => "typed";

describe("how secrets are encrypted", () => {
  test.each([
    [
      "by a provider that is named",
      {},
      { provider: "awskms://key" },
      { kind: "provider", url: "awskms://key" },
    ],
    [
      "by the passphrase of the environment",
      { PULUMI_CONFIG_PASSPHRASE: "p" },
      {},
      { kind: "passphrase", passphrase: "p" },
    ],
    [
      "by an empty passphrase, too",
      { PULUMI_CONFIG_PASSPHRASE: "" },
      {},
      { kind: "passphrase", passphrase: "" },
    ],
    ["by what the user types", {}, {}, { kind: "passphrase", passphrase: "typed" }],
    [
      "by Pulumi's service where nothing is set",
      {},
      { backendUrl: "https://api.pulumi.com" },
      { kind: "provider", url: "default" },
    ],
    [
      "by the passphrase that is set, also with the service",
      { PULUMI_CONFIG_PASSPHRASE: "p" },
      { backendUrl: "https://api.pulumi.com" },
      { kind: "passphrase", passphrase: "p" },
    ],
  ])("%s", async (_how, env, about, expected) => {
    expect(await secretsFromEnvironment(env, answering, about)).toEqual(expected);
  });

  test("by the passphrase in a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "passphrase-"));
    const file = join(folder, "passphrase");
    writeFileSync(file, "from a file\n");
    const env = { PULUMI_CONFIG_PASSPHRASE_FILE: file };
    try {
      expect(await secretsFromEnvironment(env, noTerminal)).toEqual({
        kind: "passphrase",
        passphrase: "from a file",
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    await expect(secretsFromEnvironment(env, noTerminal)).rejects.toMatchObject({
      code: "passphrase-file-unreadable",
      exitCode: 2,
    });
  });

  test("is asked for by name where there is no terminal", async () => {
    await expect(secretsFromEnvironment({}, noTerminal)).rejects.toMatchObject({
      code: "passphrase-missing",
      exitCode: 2,
      hint: expect.stringMatching(/PULUMI_CONFIG_PASSPHRASE.*PULUMI_CONFIG_PASSPHRASE_FILE/),
    });
  });
});
