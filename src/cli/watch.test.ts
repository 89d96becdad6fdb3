import { describe, expect, test } from "vitest";
import { FakeClock } from "../../test/support/rollout-bench.ts";
import { Captured, runMain, testCommand } from "../../test/unit/run-main.ts";
import { UserError } from "../core/errors.ts";
import type { CommandResult } from "./command.ts";
import { screenOn } from "./output/screen.ts";
import { watching } from "./watch.ts";

/** Watches what `answers` give, one a look, and is stopped after the last. */
async function watch(argv: readonly string[], answers: readonly (CommandResult | Error)[]) {
  const stop = new AbortController();
  const clock = new FakeClock();
  const looks: number[] = [];
  let next = 0;
  const command = testCommand(
    (_input, context) =>
      watching(context, 2_000, () => {
        looks.push(clock.now());
        const answer = answers[next++];
        if (next >= answers.length) stop.abort();
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(answer ?? { data: {}, text: [] });
      }),
    { output: "query" },
  );
  const result = await runMain(["try", ...argv], { commands: [command], clock, signal: stop.signal });
  return { ...result, seconds: looks.map((at) => (at - (looks[0] ?? 0)) / 1000) };
}

const answer = (live: string): CommandResult => ({ data: { live }, text: [`live: ${live}`] });
const trouble = new UserError({ code: "cluster-unreachable", message: "Nobody answers.", hint: "Wait." });

describe("watching", () => {
  test("writes a document for each change, and ends well when it is stopped", async () => {
    const { exitCode, stdout, seconds } = await watch(
      ["--json"],
      [answer("blue"), answer("blue"), answer("green"), answer("green")],
    );
    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { schemaVersion: 1, live: "blue" },
      { schemaVersion: 1, live: "green" },
    ]);
    expect(seconds).toEqual([0, 2, 4, 6]);
  });

  test("without a terminal, writes what has changed after the time", async () => {
    const { stdout } = await watch([], [answer("blue"), answer("blue"), answer("green")]);
    expect(stdout).toBe("2026-11-23T08:00:00Z\nlive: blue\n\n2026-11-23T08:00:04Z\nlive: green\n\n");
  });

  test("shows what goes wrong meanwhile, and goes on", async () => {
    const { exitCode, stdout } = await watch(["--json"], [answer("blue"), trouble, answer("blue")]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('"code":"cluster-unreachable"');
    expect(stdout.trim().split("\n")).toHaveLength(3);
  });

  test("ends where the first look fails", async () => {
    expect(await watch(["--json"], [trouble, answer("blue")])).toMatchObject({ exitCode: 1, seconds: [0] });
  });
});

test("a terminal is redrawn, without what it would obey", async () => {
  const stdout = new Captured(true);
  const screen = screenOn(stdout, {}, new FakeClock());
  await screen.show(["live: blue\u001b[2J"], true);
  await screen.show(["live: green"], true);
  screen.leave();
  expect(stdout.text).toContain("live: blue\nSeen at 2026-11-23T08:00:00Z; Ctrl-C ends it.");
  expect(stdout.text).not.toContain("\u001b[2J");
  // The lines of before are taken away.
  expect(stdout.text).toContain("\u001b[2K");
});
