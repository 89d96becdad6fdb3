import { describe, expect, it } from "vitest";
import { chooseAddresses } from "./addresses.ts";
import { containerdConfiguration, importedNames, networkConfiguration } from "./containerd.ts";

describe("importedNames", () => {
  it("reads the names that ctr prints", () => {
    const output =
      "unpacking localhost/a:1 (sha256:00)...done\nunpacking localhost/b:2 (sha256:01)...\nother line\n";
    expect(importedNames(output)).toEqual(["localhost/a:1", "localhost/b:2"]);
  });
});

describe("containerdConfiguration", () => {
  const text = containerdConfiguration({
    root: '/state/with "quotes"',
    networkFolder: "/state/cni",
    networkPlugins: "/tools/cni",
    runc: "/tools/runc",
    snapshotter: "native",
  });

  it("quotes paths, and says what a machine without all capabilities needs", () => {
    expect(text).toContain('root = "/state/with \\"quotes\\""');
    expect(text).toContain("restrict_oom_score_adj = true");
    expect(text).toContain('snapshotter = "native"');
  });
});

describe("networkConfiguration", () => {
  it("gives pods addresses of the cluster's range, by routed links", () => {
    const addresses = chooseAddresses([]);
    if (addresses === undefined) throw new Error("there should be some");
    const { plugins } = JSON.parse(networkConfiguration({ addresses }));
    expect(plugins[0]).toMatchObject({ type: "ptp", ipam: { ranges: [[{ subnet: "10.199.8.0/24" }]] } });
  });
});
