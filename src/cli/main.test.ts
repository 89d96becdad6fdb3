import { describe, expect, test } from "vitest";
import { Captured, nothing, runMain, testCommand } from "../../test/unit/run-main.ts";
import { presetNames } from "../component/servers/preset-server.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import { step } from "../core/events.ts";
import { KubernetesApiError } from "../kubernetes/api.ts";
import type { CommandInput, GlobalOptions } from "./command.ts";

const refuse = testCommand(async () => {
  throw new UserError({
    code: "slot-not-ready",
    message: "The slot green is not ready.",
    hint: "Wait.",
    exitCode: exitCodes.held,
    details: { slot: "green" },
  });
});

const crash = testCommand(async () => {
  throw new TypeError("x is not a function");
});

describe("the help", () => {
  test.each([[["--help"]], [["help"]], [[]]])("%j lists all commands on stdout", async (argv) => {
    const result = await runMain(argv);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toBe("");
    for (const name of ["init", "doctor", "plan", "up", "switch", "status", "destroy", "run", "cluster"]) {
      expect(result.stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    }
  });

  test.each([[["switch", "--help"]], [["help", "switch"]]])(
    "%j shows arguments and options",
    async (argv) => {
      const { stdout } = await runMain(argv);
      expect(stdout).toContain("Usage: modelswitch switch [options] <slot>");
      expect(stdout).toContain("one of blue, green");
      expect(stdout).toContain("Global options:");
    },
  );

  test.each([[["cluster"]], [["cluster", "--help"]], [["help", "cluster"]]])(
    "%j lists the commands of the group",
    async (argv) => {
      const { stdout, exitCode } = await runMain(argv);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("load-image");
    },
  );

  test("the version", async () => {
    const { stdout } = await runMain(["--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("a wrong command line is exit code 2, with the nearest right one", () => {
  test.each<[readonly string[], string]>([
    [["swich", "green"], 'There is no command "swich"; did you mean "switch"?'],
    [["frobnicate"], 'There is no command "frobnicate".'],
    [["cluster", "uo"], 'There is no command "cluster uo"; did you mean "cluster up"?'],
    [["status", "--jsn"], 'Unknown option "--jsn"; did you mean "--json"?'],
    [["--jsn"], 'Unknown option "--jsn"; did you mean "--json"?'],
    [["run", "x", "--stak", "y"], 'Unknown option "--stak"; did you mean "--stack"?'],
    [["switch"], 'Missing required argument "slot".'],
    [["switch", "bleu"], 'The argument slot is "bleu", which is none of blue, green; did you mean "blue"?'],
    [
      ["init", "--server", "mlsrver"],
      `The option --server is "mlsrver", which is none of ${presetNames.join(", ")}, custom; did you mean "mlserver"?`,
    ],
    [["status", "--context"], 'Option "--context <name>" argument missing.'],
  ])("%j", async (argv, message) => {
    const result = await runMain(argv);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toBe("");
    expect(result.stderr.split("\n")[0]).toBe(`error: ${message}`);
  });

  test("too many arguments", async () => {
    const result = await runMain(["switch", "blue", "green"]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("Too many arguments");
  });

  test("as JSON where that was asked for", async () => {
    const result = await runMain(["swich", "--json"]);
    expect(JSON.parse(result.stdout)).toMatchObject({
      type: "error",
      schemaVersion: 1,
      error: { code: "unknown-command", exitCode: 2 },
    });
    expect(result.stderr).toBe("");
  });
});

describe("what a command gets", () => {
  const echo = testCommand(
    async (input, context) => ({ data: { input, globals: context.globals }, text: [] }),
    {
      output: "query",
      arguments: [
        { name: "first", summary: "the first", required: true },
        { name: "words", summary: "the rest", required: false, variadic: true },
      ],
      options: [
        { name: "flag", summary: "a flag" },
        { name: "no-wait", summary: "a flag whose name starts with no" },
        { name: "value", value: "text", summary: "a value" },
        { name: "config", value: "key=value", summary: "a list", repeatable: true },
      ],
    },
  );
  const run = async (...argv: string[]) => {
    const result = await runMain(argv, { commands: [echo], cwd: "/models" });
    return JSON.parse(result.stdout) as { input: CommandInput; globals: GlobalOptions };
  };

  test("arguments, options, lists, and what stands after --", async () => {
    const { input } = await run(
      "--json",
      "try",
      "--flag",
      "--no-wait",
      "--value",
      "x",
      "--config",
      "a=1",
      "--config",
      "b=2",
      "one",
      "--",
      "-A",
    );
    expect(input.arguments).toEqual({ first: "one" });
    expect(input.options).toEqual({ flag: true, "no-wait": true, value: "x" });
    expect(input.lists).toEqual({ config: ["a=1", "b=2"] });
    expect(input.rest).toEqual(["-A"]);
  });

  test("global options before and after the command; after it wins, and an own option of that name is the command's", async () => {
    const { globals } = await run(
      "--json",
      "-C",
      "sub",
      "--context",
      "a",
      "--config",
      "own.ts",
      "try",
      "--context",
      "b",
      "--config",
      "x=y",
      "--yes",
      "one",
    );
    expect(globals).toMatchObject({
      folder: "/models/sub",
      configPath: "own.ts",
      context: "b",
      yes: true,
      debug: false,
    });
  });
});

describe("errors", () => {
  test("say what, why and what next", async () => {
    const result = await runMain(["try"], { commands: [refuse] });
    expect(result).toEqual({
      exitCode: 5,
      stdout: "",
      stderr: "error: The slot green is not ready.\nhint: Wait.\n",
    });
  });

  test("show their stack with --debug only", async () => {
    expect((await runMain(["try"], { commands: [crash] })).stderr).not.toContain("main.test.ts");
    expect((await runMain(["try", "--debug"], { commands: [crash] })).stderr).toContain("main.test.ts");
  });

  test("are a last document in JSON", async () => {
    const result = await runMain(["try", "--json"], { commands: [refuse] });
    expect(JSON.parse(result.stdout)).toEqual({
      type: "error",
      schemaVersion: 1,
      error: {
        code: "slot-not-ready",
        message: "The slot green is not ready.",
        hint: "Wait.",
        exitCode: 5,
        details: { slot: "green" },
      },
    });
  });

  test("that are defects ask to be reported", async () => {
    const result = await runMain(["try"], { commands: [crash] });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("modelswitch has a defect: TypeError: x is not a function");
    expect(result.stderr).toContain("report");
  });

  test("of the API server name the field and the next step", async () => {
    const refused = testCommand(async () => {
      throw new KubernetesApiError(403, "Forbidden", 'services is forbidden: User "me"', [
        { field: "spec", message: "no" },
      ]);
    });
    const result = await runMain(["try"], { commands: [refused] });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      'The API server refused a request: services is forbidden: User "me"\n  spec: no',
    );
    expect(result.stderr).toContain("modelswitch doctor");
  });
});

describe("a command that is stopped", () => {
  const waiting = (more: Parameters<typeof testCommand>[1] = {}) =>
    testCommand(async (_input, context) => {
      await context.clock.sleep(60_000, context.signal);
      return nothing;
    }, more);

  test("ends with 130 and says what is left", async () => {
    const stop = new AbortController();
    const running = runMain(["try"], {
      commands: [waiting({ ifInterrupted: "Traffic is where it was." })],
      signal: stop.signal,
    });
    stop.abort();
    expect(await running).toEqual({
      exitCode: 130,
      stdout: "",
      stderr: "error: modelswitch try was interrupted.\nhint: Traffic is where it was.\n",
    });
  });

  test("keeps the reason when it could not stop cleanly", async () => {
    const stop = new AbortController();
    const stuck = testCommand(async () => {
      stop.abort();
      throw new UserError({
        code: "stack-locked",
        message: "The stack is locked.",
        exitCode: exitCodes.locked,
      });
    });
    const result = await runMain(["try", "--json"], { commands: [stuck], signal: stop.signal });
    expect(result.exitCode).toBe(130);
    expect(JSON.parse(result.stdout)).toMatchObject({
      error: { code: "interrupted", exitCode: 130, hint: "While it stopped: The stack is locked." },
    });
  });

  test("before it starts does nothing", async () => {
    const stop = new AbortController();
    stop.abort();
    let ran = false;
    const command = testCommand(async () => {
      ran = true;
      return nothing;
    });
    expect((await runMain(["try"], { commands: [command], signal: stop.signal })).exitCode).toBe(130);
    expect(ran).toBe(false);
  });
});

describe("output", () => {
  const long = testCommand(async (_input, { events }) => {
    await step(
      events,
      { id: "a", title: "Work" },
      async () => 1,
      () => "3 of 3 ready",
    );
    events({ type: "warning", code: "w", message: "Mind this." });
    return { exitCode: exitCodes.held, data: { live: "green" }, text: ["green is live."] };
  });

  test("for people: progress on stderr, the result on stdout", async () => {
    const result = await runMain(["try"], { commands: [long] });
    expect(result.exitCode).toBe(5);
    expect(result.stdout).toBe("green is live.\n");
    expect(result.stderr).toMatch(
      /^Work \.\.\.\nWork: done in 0\.\d s \(3 of 3 ready\)\nwarning: Mind this\.\n$/,
    );
  });

  test("a long command with --json prints a line per event and a last result", async () => {
    const result = await runMain(["try", "--json"], { commands: [long] });
    const lines = result.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ type }) => type)).toEqual(["step", "step", "warning", "result"]);
    expect(lines[0]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      id: "a",
      state: "started",
    });
    expect(lines.at(-1)).toEqual({ type: "result", schemaVersion: 1, exitCode: 5, live: "green" });
    expect(result.stderr).toBe("");
  });

  test("a query with --json prints one document", async () => {
    const result = await runMain(["try", "--json"], { commands: [{ ...long, output: "query" }] });
    expect(JSON.parse(result.stdout)).toEqual({ schemaVersion: 1, live: "green" });
  });

  test("a terminal gets a live view and its cursor back", async () => {
    const stderr = new Captured(true);
    await runMain(["try"], { commands: [long], stderr });
    expect(stderr.text).toContain("✔");
    expect(stderr.text).toContain("3 of 3 ready");
    const hidden = stderr.text.lastIndexOf("\u001b[?25l");
    expect(stderr.text.lastIndexOf("\u001b[?25h")).toBeGreaterThanOrEqual(hidden);
  });

  test("no colours and no live view where they are not wanted", async () => {
    for (const env of [{ CI: "true", NO_COLOR: "1" }, { TERM: "dumb" }]) {
      const stderr = new Captured(true);
      await runMain(["try"], { commands: [long], stderr, env });
      expect(stderr.text).not.toContain("\u001b");
    }
  });
});
