import { expect, test } from "vitest";
import { endpointOf } from "./endpoint.ts";

test.each([
  [undefined, undefined],
  [null, undefined],
  [{}, undefined],
  [{ loadBalancer: {} }, undefined],
  [{ loadBalancer: { ingress: [] } }, undefined],
  [{ loadBalancer: { ingress: [{}] } }, undefined],
  [{ loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } }, "192.0.2.1"],
  [{ loadBalancer: { ingress: [{ hostname: "lb.example.com" }] } }, "lb.example.com"],
  [{ loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { hostname: "lb.example.com" }] } }, "lb.example.com"],
  [{ loadBalancer: { ingress: [{ hostname: "", ip: "192.0.2.1" }] } }, "192.0.2.1"],
])("the endpoint of %j is %s", (status, expected) => {
  expect(endpointOf(status)).toBe(expected);
});
