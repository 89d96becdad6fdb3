import { describe, expect, test } from "vitest";
import type { RolloutStatus } from "../../rollout/commands/status.ts";
import { describeRollout } from "./status.ts";

const rollout: RolloutStatus = {
  kind: "release",
  release: 2,
  target: "green",
  phase: "shift",
  stage: "during",
  direction: "forward",
  paused: false,
  waitsFor: undefined,
  worksOnIt: null,
  by: "ada@laptop",
  startedAt: "2026-11-23T08:00:00.000Z",
  warmUntil: undefined,
};

describe("a rollout in progress", () => {
  test("that nobody works on is said with the ways to go on", () => {
    expect(describeRollout(rollout)).toBe(
      "Rollout: release of release 2 into green, phase shift; begun by ada@laptop at 2026-11-23T08:00:00.000Z. No command works on it: `modelswitch resume` goes on, `modelswitch abort` takes it back",
    );
  });

  test("on the way back cannot be aborted", () => {
    expect(describeRollout({ ...rollout, direction: "back" })).toMatch(/`modelswitch resume` goes on$/);
  });

  test("says which command works on it, and where it is", () => {
    const worksOnIt = "`modelswitch release` of ada@laptop (process 10 on laptop)";
    expect(describeRollout({ ...rollout, stage: "before", worksOnIt })).toContain(
      `before the phase shift; begun by ada@laptop at 2026-11-23T08:00:00.000Z. ${worksOnIt} works on it`,
    );
  });

  test("says what it waits for, and nothing where the lock cannot be seen", () => {
    const waiting = describeRollout({ ...rollout, paused: true, waitsFor: "it is night" });
    expect(waiting).toMatch(/phase shift, paused; .*\. It waits: it is night$/);
    expect(describeRollout({ ...rollout, worksOnIt: undefined })).toMatch(/08:00:00\.000Z$/);
  });
});
