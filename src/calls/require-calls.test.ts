import { describe, expect, test } from "vitest";
import type { Call } from "../core/calls.ts";
import { nearest } from "../core/nearest.ts";
import { reach, subject } from "./calls.fixture.ts";
import { payloadOf, variablesOf } from "./payload.ts";
import { requireCalls, secretVariables } from "./require-calls.ts";

const io = {
  env: { PATH: process.env.PATH, KEY: Buffer.from("a key of more than 24 bytes").toString("base64") },
  folder: import.meta.dirname,
};
const command = (program: string): Call => ({ kind: "command", run: [program], timeoutMs: 1, retries: 0 });
const webhook = (secretEnv: string | undefined): Call => ({
  kind: "webhook",
  url: "https://a.b/c",
  secretEnv,
  timeoutMs: 1,
  retries: 0,
});

describe("what a rollout will call", () => {
  test("has to be there before anything is done", async () => {
    const calls = [
      command("sh"),
      command("./gone.sh"),
      command("no-such-program"),
      webhook("KEY"),
      webhook("GONE"),
    ];
    const checked = requireCalls(
      io,
      calls.map((call, index) => ({ title: `hook ${index}`, call })),
    );
    await expect(checked).rejects.toMatchObject({
      code: "call-impossible",
      exitCode: 2,
      details: {
        problems: [
          expect.stringMatching(/^hook 1: .*\/gone\.sh is not there/),
          "hook 2: the program no-such-program is not on PATH",
          "hook 4: the environment variable GONE is not set",
        ],
      },
    });
    await requireCalls(io, [{ title: "hook a", call: command("sh") }]);
  });

  test("has secrets that programs do not get", () => {
    expect(
      secretVariables(
        [command("sh"), webhook("A"), webhook(undefined)],
        [
          { url: { kind: "env", name: "B" }, format: "slack", on: [], secretEnv: undefined, insecure: false },
          {
            url: { kind: "url", url: "https://a.b" },
            format: "generic",
            on: [],
            secretEnv: "A",
            insecure: false,
          },
        ],
      ),
    ).toEqual(["A", "B"]);
  });
});

test("the variables that programs get are not taken for mistyped options by a modelswitch that they run", () => {
  const names = Object.keys(variablesOf(payloadOf({ ...subject, reach }, { type: "gate", name: "a" }, 0)));
  const options = ["folder", "config", "kubeconfig", "context", "cluster", "json", "yes", "debug"];
  const known = options.map((option) => `MODELSWITCH_${option.toUpperCase()}`);
  const meant = names.map((name) =>
    nearest(
      name.replace("MODELSWITCH_", ""),
      known.map((one) => one.slice(12)),
    ),
  );
  expect(names.filter((_name, index) => meant[index] !== undefined)).toEqual([]);
});
