import { describe, expect, test } from "vitest";
import { Captured, Keyboard, nothing, runMain, testCommand } from "../../test/unit/run-main.ts";
import { UserError } from "../core/errors.ts";

describe("questions", () => {
  const ask = testCommand(
    async (_input, context) => ({
      data: {
        sure: await context.confirm("Delete it?"),
        name: await context.ask("Name", "fraud"),
        secret: await context.askSecret(
          "Passphrase",
          () => new UserError({ code: "passphrase-missing", message: "No passphrase.", exitCode: 2 }),
        ),
      },
      text: [],
    }),
    { output: "query" },
  );
  const confirm = testCommand(async (_input, context) => ({
    data: {},
    text: [String(await context.confirm("Delete it?"))],
  }));

  test("are answered on the terminal; a secret is not shown", async () => {
    const keyboard = new Keyboard(true);
    const stderr = new Captured(true);
    let answer: Record<string, unknown> = {};
    const asking = testCommand(async (input, context) => {
      const result = await ask.run(input, context);
      answer = { ...result.data };
      return nothing;
    });
    const running = runMain(["try"], { commands: [asking], keyboard, stderr });
    const type = async (shown: string, keys: string) => {
      while (!stderr.text.includes(shown)) await new Promise((resolve) => setImmediate(resolve));
      keyboard.write(keys);
    };
    await type("Delete it? [y/N]", "y\n");
    await type("Name [fraud]", "\n");
    await type("Passphrase:", "hush\u007fH\r");
    expect((await running).exitCode).toBe(0);
    expect(answer).toEqual({ sure: true, name: "fraud", secret: "husH" });
    expect(stderr.text).not.toContain("hus");
  });

  test("without a terminal are a usage error that names --yes", async () => {
    const result = await runMain(["try"], { commands: [confirm] });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("Delete it?");
    expect(result.stderr).toContain("--yes");
  });

  test("are answered by --yes", async () => {
    expect((await runMain(["try", "--yes"], { commands: [confirm] })).stdout).toBe("true\n");
  });

  test("secrets without a terminal are the error of who asks, also with --yes", async () => {
    const secret = testCommand(async (_input, context) => {
      await context.askSecret(
        "Passphrase",
        () => new UserError({ code: "passphrase-missing", message: "None.", exitCode: 2 }),
      );
      return nothing;
    });
    const result = await runMain(["try", "--yes", "--json"], { commands: [secret] });
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "passphrase-missing", exitCode: 2 } });
  });

  test("can be left with Ctrl-C", async () => {
    const keyboard = new Keyboard(true);
    const stderr = new Captured(true);
    const stop = new AbortController();
    const running = runMain(["try"], {
      commands: [confirm],
      keyboard,
      stderr,
      signal: stop.signal,
      interrupt: () => stop.abort(),
    });
    while (!stderr.text.includes("Delete it?")) await new Promise((resolve) => setImmediate(resolve));
    keyboard.write("\u0003");
    expect((await running).exitCode).toBe(130);
  });
});
