import { describe, expect, it } from "vitest";
import { exitCodes, UserError } from "../../../../src/support.ts";
import { checkHost, findHostPrograms, type HostFacts } from "./host.ts";

const good: HostFacts = {
  platform: "linux",
  userId: 0,
  capabilities: "000001fffeffffff",
  fileSystems: ["ext4", "cgroup", "overlay"],
};

function refusal(facts: Partial<HostFacts>): UserError {
  try {
    checkHost({ ...good, ...facts });
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  throw new Error("it was not refused");
}

describe("checkHost", () => {
  it("accepts root on Linux", () => {
    expect(() => checkHost(good)).not.toThrow();
  });

  it.each([
    ["platform-unsupported", { platform: "darwin" }, "darwin"],
    ["root-needed", { userId: 1000 }, "needs root"],
    ["capabilities-missing", { capabilities: "a80425fb" }, "CAP_NET_ADMIN, CAP_SYS_ADMIN"],
    ["cgroups-unavailable", { fileSystems: ["ext4"] }, "no cgroups"],
  ] as const)("refuses with %s and names the alternatives", (code, facts, text) => {
    const error = refusal(facts);
    expect(error.code).toBe(code);
    expect(error.exitCode).toBe(exitCodes.usage);
    expect(error.message).toContain(text);
    for (const alternative of ["--context", "--kubeconfig", "kind", "k3d", "minikube"]) {
      expect(error.hint).toContain(alternative);
    }
  });
});

describe.runIf(process.platform === "linux")("findHostPrograms", () => {
  it("looks in the folders of the system too, which a user's PATH often lacks", () => {
    expect(findHostPrograms({ PATH: "/nowhere" }).mount).toMatch(/\/mount$/);
  });
});
