import { describe, expect, test } from "vitest";
import { nameOfUrn, parseToken, typeOfUrn } from "./tokens.ts";

describe("type tokens", () => {
  test.each([
    ["kubernetes:core/v1:Service", { group: "", version: "v1", kind: "Service" }],
    ["kubernetes:apps/v1:Deployment", { group: "apps", version: "v1", kind: "Deployment" }],
    [
      "kubernetes:traefik.io/v1alpha1:IngressRoute",
      { group: "traefik.io", version: "v1alpha1", kind: "IngressRoute" },
    ],
    ["kubernetes:example.com/v1:AllowList", { group: "example.com", version: "v1", kind: "AllowList" }],
    ["kubernetes:example.com/v1:Patch", { group: "example.com", version: "v1", kind: "Patch" }],
  ])("%s", (token, gvk) => {
    expect(parseToken(token)).toEqual({ supported: true, gvk });
  });

  test.each([
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:helm.sh/v4:Chart",
    "kubernetes:yaml:ConfigFile",
    "kubernetes:yaml/v2:ConfigGroup",
    "kubernetes:kustomize/v2:Directory",
    "kubernetes:core/v1:ServicePatch",
    "kubernetes:core/v1:ServiceList",
    "aws:s3/bucket:Bucket",
  ])("%s is refused by name", (token) => {
    expect(parseToken(token)).toEqual({ supported: false, what: expect.stringContaining(token) });
  });

  test("a URN holds the types of the parents and may have colons in the name", () => {
    const urn = "urn:pulumi:dev::shop::modelswitch:index:Model$kubernetes:core/v1:Service::blue::service";
    expect(typeOfUrn(urn)).toBe("kubernetes:core/v1:Service");
    expect(nameOfUrn(urn)).toBe("blue::service");
  });
});
