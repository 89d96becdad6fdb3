import { describe, expect, test } from "vitest";
import { asStateOf } from "./exported-state.ts";

const about = { project: "modelswitch-fraud", stack: "ml" };
const secret = (content: object) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ...content,
});
const providers = (salt: string) => ({ type: "passphrase", state: { salt } });
const exported = (salt: string, value: unknown, urn = "urn:pulumi:ml::modelswitch-fraud::a::b") =>
  JSON.stringify({
    version: 3,
    deployment: { secrets_providers: providers(salt), resources: [{ urn, type: "a", inputs: { value } }] },
  });
const own = JSON.stringify({ deployment: { secrets_providers: providers("own"), resources: [] } });

describe("an exported state that is imported", () => {
  test("gets the stack's own secrets provider, where its secrets are in clear", () => {
    const text = asStateOf(about, exported("former", secret({ plaintext: '"hush"' })), own);
    expect(JSON.parse(text)).toMatchObject({
      version: 3,
      deployment: {
        secrets_providers: providers("own"),
        resources: [{ inputs: { value: { plaintext: '"hush"' } } }],
      },
    });
  });

  test("is taken as it is, where it was encrypted with the stack's key", () => {
    const text = exported("own", secret({ ciphertext: "v1:x" }));
    expect(JSON.parse(asStateOf(about, text, own))).toEqual(JSON.parse(text));
  });

  test("is refused where its secrets would be lost", () => {
    expect(() => asStateOf(about, exported("former", [secret({ ciphertext: "v1:x" })]), own)).toThrow(
      expect.objectContaining({ code: "state-key-other", exitCode: 2 }),
    );
  });

  test.each([
    ["no JSON", "{", "it is no JSON"],
    ["nothing that was exported", "{}", "it has no `deployment`"],
    ["no list of resources", '{"deployment":{"resources":1}}', "is no list"],
    [
      "another stack's",
      exported("own", 1, "urn:pulumi:dev::other::a::b"),
      "it is of another stack: urn:pulumi:dev::other",
    ],
  ])("is refused where it is %s", (_what, text, why) => {
    expect(() => asStateOf(about, text, own)).toThrow(
      expect.objectContaining({ code: "state-file-invalid", message: expect.stringContaining(why) }),
    );
  });
});
