import { describe, expect, it } from "vitest";
import type { ComponentHealth } from "../../../../src/support.ts";
import { overallState } from "./status.ts";

const running: ComponentHealth = { component: "etcd", state: "running", pid: 1, residentBytes: 1 };
const stopped: ComponentHealth = { component: "etcd", state: "stopped", reason: "it has ended" };

describe("overallState", () => {
  it("is running only when all are, and stopped only when none is", () => {
    expect(overallState([running, running])).toBe("running");
    expect(overallState([running, stopped])).toBe("degraded");
    expect(overallState([stopped, stopped])).toBe("stopped");
  });
});
