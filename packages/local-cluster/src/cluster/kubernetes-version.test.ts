import { describe, expect, it } from "vitest";
import { kubernetesVersions } from "../../../../src/support.ts";
import { chooseKubernetesVersion } from "./kubernetes-version.ts";

const offered = ["v1.36.3", "v1.35.4"] as const;
const record = (kubernetesVersion: string) => ({ name: "demo", kubernetesVersion });

describe("chooseKubernetesVersion", () => {
  it.each([
    [undefined, undefined, "v1.36.3"],
    ["1.35", undefined, "v1.35.4"],
    ["v1.35.4", undefined, "v1.35.4"],
    ["1.36.3", undefined, "v1.36.3"],
    [undefined, "v1.35.4", "v1.35.4"],
    // A cluster of an older modelswitch gets the patch release of this one.
    [undefined, "v1.35.1", "v1.35.4"],
    ["1.35", "v1.35.1", "v1.35.4"],
  ])("wish %s, running %s: %s", (wish, running, chosen) => {
    expect(chooseKubernetesVersion(offered, wish, running === undefined ? undefined : record(running))).toBe(
      chosen,
    );
  });

  it.each([
    ["latest", "no version of Kubernetes"],
    ["1.34", "Kubernetes 1.34 is not among the versions"],
    ["1.35.2", "v1.35.4 is the one that is offered"],
    ["1.35.4-beta", "no version of Kubernetes"],
  ])("refuses %s, and names those there are", (wish, message) => {
    const choose = () => chooseKubernetesVersion(offered, wish, undefined);
    expect(choose).toThrow(expect.objectContaining({ code: "kubernetes-version-unsupported", exitCode: 2 }));
    expect(choose).toThrow(message);
    expect(choose).toThrow(expect.objectContaining({ hint: expect.stringContaining("v1.36.3 and v1.35.4") }));
  });

  it("does not change the version of a cluster", () => {
    const choose = () => chooseKubernetesVersion(offered, "1.36", record("v1.35.4"));
    expect(choose).toThrow(expect.objectContaining({ code: "cluster-differs", exitCode: 2 }));
    expect(choose).toThrow('"demo" runs Kubernetes v1.35.4');
  });

  it("says so when a cluster's version is not offered any more", () => {
    expect(() => chooseKubernetesVersion(offered, undefined, record("v1.33.0"))).toThrow(
      expect.objectContaining({ code: "kubernetes-version-unsupported" }),
    );
  });

  it("has at least two minor versions to offer", () => {
    const minors = new Set(kubernetesVersions.map((version) => version.split(".").slice(0, 2).join(".")));
    expect(minors.size).toBeGreaterThanOrEqual(2);
  });
});
