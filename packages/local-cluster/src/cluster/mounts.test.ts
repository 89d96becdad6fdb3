import { describe, expect, it } from "vitest";
import { parseMounts } from "./mounts.ts";

describe("parseMounts", () => {
  it("reads the mount point, the type and the options of each line", () => {
    const text = [
      "29 22 0:25 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
      "41 22 254:0 /a\\040b /state/with\\040space rw,relatime - ext4 /dev/vda rw,discard",
      "",
    ].join("\n");
    expect(parseMounts(text)).toEqual([
      { mountPoint: "/sys/fs/cgroup/cpu", type: "cgroup", superOptions: ["rw", "cpu", "cpuacct"] },
      { mountPoint: "/state/with space", type: "ext4", superOptions: ["rw", "discard"] },
    ]);
  });
});
