import { expect, test } from "vitest";
import { runMain, testCommand } from "../../../test/unit/run-main.ts";
import { choiceOf } from "./rollout-context.ts";

const said = testCommand(async (_input, context) => ({
  data: {},
  text: [`modelswitch status${choiceOf(context)}`],
}));

test("a suggested command names the model and the environment that the user named", async () => {
  const run = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    (await runMain(["try", ...argv], { commands: [said], env })).stdout.trim();
  expect(await run([])).toBe("modelswitch status");
  expect(await run(["--model", "fraud", "-e", "production"])).toBe(
    "modelswitch status --model fraud --environment production",
  );
  // A variable is still set when the next command runs.
  expect(await run(["--model", "fraud"], { MODELSWITCH_ENVIRONMENT: "production" })).toBe(
    "modelswitch status --model fraud",
  );
});
