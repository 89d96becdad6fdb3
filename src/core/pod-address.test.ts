import { describe, expect, test } from "vitest";
import { podProxyPath, podScheme } from "./pod-address.ts";

describe("podScheme", () => {
  test.each([
    [undefined, {}, "http"],
    ["http", {}, "http"],
    ["https", {}, "https"],
    ["grpc", {}, "http"],
    ["grpc", { grpc: 9000 }, "http"],
    ["grpcs", {}, "https"],
    ["grpcs", { grpc: 9000 }, "http"],
  ] as const)("%s with %j: %s", (protocol, otherPorts, scheme) => {
    expect(podScheme(protocol, { otherPorts })).toBe(scheme);
  });
});

test("the scheme is part of the pod's name, as the API server has it", () => {
  const pod = { namespace: "ml", pod: "fraud-blue-1", port: 8443 };
  expect(podProxyPath({ ...pod, scheme: "http" }, "/v2")).toBe(
    "/api/v1/namespaces/ml/pods/fraud-blue-1:8443/proxy/v2",
  );
  expect(podProxyPath({ ...pod, scheme: "https" }, "/v2")).toBe(
    "/api/v1/namespaces/ml/pods/https:fraud-blue-1:8443/proxy/v2",
  );
});
