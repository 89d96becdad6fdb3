import { describe, expect, test } from "vitest";
import { autoSteps, secondsToSee } from "./auto-steps.ts";
import { errorLines, slowLines } from "./lines.ts";
import { sightsOf } from "./sight.ts";

const errors = { name: "errors", lines: errorLines, live: 0.005, alpha: 0.0125 };
const at100 = { requestsPerSecond: 100, alpha: 0.0125 };

describe("what a step will be able to see", () => {
  test("as the method sheet has it: 0.5 to 1.4 % at 100/s", () => {
    const steps = autoSteps({ ...at100, metrics: [errors] });
    // 5 % for 12:30, 25 % for 4:50, 50 % for 4:00.
    expect(steps.map(({ share, seconds }) => [share, seconds])).toEqual([
      [0.05, 750],
      [0.25, 290],
      [0.5, 240],
    ]);
    const sights = sightsOf(steps, [errors], at100);
    expect(sights.map(({ isShort }) => isShort)).toEqual([false, false, false]);
    expect(sights[0]).toMatchObject({ metric: "errors", live: 0.005, neededSeconds: 750, requests: 75_000 });
    expect(sights[0]?.bad).toBeCloseTo(0.014);
  });

  test("a step that is too short for a metric's bad line is found", () => {
    const [sight] = sightsOf([{ share: 0.25, seconds: 60 }], [errors], at100);
    expect(sight?.isShort).toBe(true);
    expect(sight?.neededSeconds).toBeGreaterThan(60);
  });

  test("no traffic: nothing is ever seen", () => {
    const [sight] = sightsOf([{ share: 0.25, seconds: 3600 }], [errors], { ...at100, requestsPerSecond: 0 });
    expect(sight).toMatchObject({ isShort: true, neededSeconds: Number.POSITIVE_INFINITY });
  });

  test("each metric by its own lines and alpha", () => {
    const slow = { name: "over 0.3 s", lines: slowLines, live: 0.05, alpha: 0.00625 };
    const sights = sightsOf([{ share: 0.5, seconds: 600 }], [errors, slow], at100);
    expect(sights.map(({ metric }) => metric)).toEqual(["errors", "over 0.3 s"]);
    expect(sights[1]?.neededSeconds).toBe(secondsToSee(0.5, 1, { ...at100, metrics: [slow] }));
  });
});
