import { expect, test } from "vitest";
import { type RouterName, routerNames } from "../../core/router-names.ts";
import { requireCapability, requireRequestCapabilities, routerNamed } from "./factory.ts";

test.each(routerNames)("the router %s is known by its name", (name) => {
  expect(routerNamed(name).name).toBe(name);
  expect(routerNamed(name).refs("m")[0].name).toBe("m");
});

test.each(["kong", "constructor"])("the router %s is refused with the names of those there are", (name) => {
  expect(() => routerNamed(name as RouterName)).toThrow(
    expect.objectContaining({
      code: "router-unknown",
      hint: expect.stringContaining(`The routers are: ${routerNames.join(", ")}`),
    }),
  );
});

test("a capability that the router has is granted", () => {
  expect(() => requireCapability(routerNamed("nginx"), "weights", "a shift in steps")).not.toThrow();
});

const able = routerNames.filter((name) => routerNamed(name).capabilities.header);

test("a capability that another router has is refused with that router's name", () => {
  expect(() => requireCapability(routerNamed("plain"), "header", "previewHeader")).toThrow(
    expect.objectContaining({
      code: "capability-missing",
      message: 'The router "plain" cannot do what previewHeader asks for (header).',
      hint: `Routers that can: ${able.join(", ")}. Or leave previewHeader out.`,
    }),
  );
});

test("a router that speaks HTTPS with the pods, and no gRPC, is asked for the one and refused for the other", () => {
  const router = routerNamed("gateway-api");
  expect(() => requireRequestCapabilities(router, { protocol: "https" })).not.toThrow();
  expect(() => requireRequestCapabilities(router, { protocol: "grpc" })).toThrow(
    expect.objectContaining({
      code: "capability-missing",
      message: 'The router "gateway-api" cannot do what ingress.protocol: "grpc" asks for (backendProtocol).',
      hint: expect.stringContaining("gateway-api-grpc"),
    }),
  );
  expect(() => requireRequestCapabilities(routerNamed("plain"), { protocol: "https" })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("gateway-api, gateway-api-grpc") }),
  );
});

test("a capability that no router has is refused as such", () => {
  expect(() => requireCapability(routerNamed("nginx"), "headerRegex", "a pattern")).toThrow(
    expect.objectContaining({
      hint: `None of the routers can (${routerNames.join(", ")}): leave a pattern out.`,
    }),
  );
});
