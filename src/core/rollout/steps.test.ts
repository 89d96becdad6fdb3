import { expect, test } from "vitest";
import { parseDuration, parseSteps } from "./steps.ts";

test.each([
  ["30s", 30_000],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["250ms", 250],
  ["1.5m", 90_000],
  ["2", 2_000],
  ["", undefined],
  ["5 min", undefined],
  ["-1s", undefined],
])("the duration %j is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test("steps grow to 100 %, each with its time", () => {
  expect(parseSteps("5%:2m, 25%:5m, 50%, 100%:1m")).toEqual({
    kind: "steps",
    steps: [
      { weight: 5, holdMs: 120_000 },
      { weight: 25, holdMs: 300_000 },
      { weight: 50, holdMs: 0 },
    ],
    holdAtEndMs: 60_000,
  });
  expect(parseSteps("100%")).toEqual({ kind: "steps", steps: [], holdAtEndMs: 0 });
  expect(parseSteps("10 % : 5s")).toMatchObject({ steps: [{ weight: 10, holdMs: 5_000 }] });
});

test.each([
  ["25%, 5%", "5%", "must be more than the 25% before it"],
  ["0%", "0%", "must be from 0.5% to 99.5%, or 100%"],
  ["0.05%", "0.05%", "must be from 0.5% to 99.5%, or 100%"],
  ["50%, 99.99%", "99.99%", "must be from 0.5% to 99.5%, or 100%"],
  ["1.125%", "1.125%", "has more than two decimals"],
  ["5%, 0.5%", "0.5%", "must be more than the 5% before it"],
  ["101%", "101%", "must be from 0.5% to 99.5%, or 100%"],
  ["5%:soon", "5%:soon", "has no valid time"],
  ["5", "5", "is no step"],
  ["100%, 100%", "100%", "must be more than the 100% before it"],
  ["", "", "is no step"],
])("the steps %j are refused at %j: it %s", (text, step, why) => {
  expect(parseSteps(text)).toMatchObject({ kind: "wrong", step, why: expect.stringContaining(why) });
});
