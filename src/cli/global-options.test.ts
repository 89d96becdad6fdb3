import { describe, expect, test } from "vitest";
import { runMain, testCommand } from "../../test/unit/run-main.ts";
import type { GlobalOptions } from "./command.ts";
import { mistypedVariables, toGlobalOptions } from "./global-options.ts";

const options = (values: object, env: Readonly<Record<string, string>>) =>
  toGlobalOptions({ ...values }, "/models", env);

describe("options as environment variables", () => {
  test("count where the option is not given", () => {
    const env = { MODELSWITCH_MODEL: "fraud", MODELSWITCH_ENVIRONMENT: "staging", MODELSWITCH_FOLDER: "sub" };
    expect(options({ environment: "production" }, env)).toMatchObject({
      folder: "/models/sub",
      model: "fraud",
      environment: "production",
      given: { model: "MODELSWITCH_MODEL", environment: "--environment" },
    });
  });

  test("that are empty say nothing", () => {
    expect(options({}, { MODELSWITCH_MODEL: "" }).model).toBeUndefined();
  });

  test("never contradict an option that chooses the cluster another way", () => {
    const env = {
      MODELSWITCH_CONTEXT: "production",
      MODELSWITCH_KUBECONFIG: "k",
      MODELSWITCH_CLUSTER: "demo",
    };
    expect(options({ cluster: "test" }, env)).toMatchObject({
      cluster: "test",
      context: undefined,
      kubeconfigPath: undefined,
    });
    expect(options({ context: "staging" }, env)).toMatchObject({
      context: "staging",
      cluster: undefined,
      kubeconfigPath: "k",
    });
  });

  test.each([
    ["1", true],
    ["true", true],
    ["Yes", true],
    ["0", false],
    ["no", false],
    ["", false],
  ])("are flags by 1 and 0: %j", (value, expected) => {
    expect(options({}, { MODELSWITCH_YES: value }).yes).toBe(expected);
  });

  test("with another value for a flag are refused", async () => {
    const result = await runMain(["try"], {
      commands: [testCommand(async () => ({ data: {}, text: [] }))],
      env: { MODELSWITCH_YES: "sure" },
    });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('MODELSWITCH_YES is "sure", but can only be 1 or 0');
  });

  test("reach the command, and a mistyped one is said", async () => {
    const echo = testCommand(async (_input, { globals }) => ({
      data: { globals },
      text: [globals.model ?? "-"],
    }));
    const said = await runMain(["try"], {
      commands: [echo],
      env: { MODELSWITCH_MODEL: "fraud", MODELSWITCH_ENVIROMENT: "x" },
    });
    expect(said.stdout).toBe("fraud\n");
    expect(said.stderr).toContain(
      "MODELSWITCH_ENVIROMENT means nothing; did you mean MODELSWITCH_ENVIRONMENT?",
    );
    const json = await runMain(["try"], { commands: [echo], env: { MODELSWITCH_JSON: "1" } });
    const last = JSON.parse(json.stdout.trim().split("\n").at(-1) ?? "") as { globals: GlobalOptions };
    expect(last.globals.json).toBe(true);
  });

  test("of others are left alone", () => {
    const env = {
      MODELSWITCH_CACHE: "x",
      MODELSWITCH_TEST_CLUSTER: "x",
      MODELSWITCH_QQQQQQQ: "x",
      MODELS: "x",
    };
    expect(mistypedVariables(env)).toEqual([]);
    expect(mistypedVariables({ MODELSWITCH_CACH: "x" })).toEqual([
      { name: "MODELSWITCH_CACH", meant: "MODELSWITCH_CACHE" },
    ]);
  });
});
