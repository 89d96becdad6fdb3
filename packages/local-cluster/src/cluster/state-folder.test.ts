import { describe, expect, it } from "vitest";
import { checkClusterName, clusterFolders } from "./state-folder.ts";

it("keeps clusters apart", () => {
  expect(clusterFolders("/state", "demo").kubeconfig).toBe("/state/clusters/demo/kubeconfig");
});

describe("checkClusterName", () => {
  it.each(["default", "a", "ms-life", "a".repeat(40)])("accepts %s", (name) => {
    expect(() => checkClusterName(name)).not.toThrow();
  });

  it.each(["", "-a", "a-", "A", "a_b", "../etc", "a/b", "a".repeat(41)])("refuses “%s”", (name) => {
    expect(() => checkClusterName(name)).toThrow(/can't be the name/);
  });
});
