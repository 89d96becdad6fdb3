import { describe, expect, test } from "vitest";
import { withPodDefaults } from "./pod-defaults.ts";

const spec = (securityContext?: object) => ({
  selector: {},
  template: {
    metadata: {},
    spec: { containers: [], ...(securityContext === undefined ? {} : { securityContext }) },
  },
});
const profile = { seccompProfile: { type: "RuntimeDefault" } };

describe("pods of a release that an older version made", () => {
  test("lack what later versions add to every pod", () => {
    expect(withPodDefaults(spec(profile), "0.1.0")).toEqual(spec());
    expect(withPodDefaults(spec(), "0.1.0")).toEqual(spec());
  });

  test("keep what the user says", () => {
    const own = { ...profile, runAsUser: 1000 };
    expect(withPodDefaults(spec(own), "0.1.0")).toEqual(spec(own));
  });

  test("of this version are as they are", () => {
    expect(withPodDefaults(spec(profile), undefined)).toEqual(spec(profile));
  });
});
