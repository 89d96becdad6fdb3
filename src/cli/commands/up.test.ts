import { expect, test } from "vitest";
import { nextAfter } from "./up.ts";

test("what to do after `up` is a command that is not refused", () => {
  const template = { runs: { form: "template", release: { image: "fraud:1" }, idleReplicas: 0 } } as const;
  expect(nextAfter("blue", { blue: 2, green: 0 }, template)).toBe("release --set image=IMAGE");
  expect(nextAfter("blue", { blue: 2, green: 1 }, template)).toBe("switch green");
  const slots = { runs: { form: "slots", slots: { blue: {}, green: {} } } } as const;
  expect(nextAfter("green", { blue: 0, green: 0 }, slots)).toBe("switch blue");
});
