import { describe, expect, test } from "vitest";
import { type Routing, settledOn } from "../core/routing.ts";
import type { BlueGreenModelArgs } from "./arguments.ts";
import { resolveArgs, selectorOf } from "./resolve-arguments.ts";
import { custom } from "./servers/custom.ts";

const seed: BlueGreenModelArgs = {
  slots: { blue: {}, green: {} },
  live: "blue",
  ingress: { host: "mlmodels.example.com" },
};

const pinned: Routing = { main: "blue", candidate: "green", weight: 5, pinned: 2 };

describe("the defaults", () => {
  test("are nginx, a server on port 8080, Services on port 80, and all traffic to the live slot", () => {
    const resolved = resolveArgs("fraud", { ...seed, live: "green" });
    expect(resolved.router.name).toBe("nginx");
    expect(resolved.server.httpPort).toBe(8080);
    expect(resolved.servicePort).toBe(80);
    expect(resolved.previewHeader).toBe("X-Modelswitch-Preview");
    expect(resolved.routing).toEqual(settledOn("green"));
  });

  test("select pods by app and version", () => {
    expect(selectorOf("fraud", "blue", seed)).toEqual({ app: "fraud", version: "blue" });
  });
});

test("a server without HTTP needs gRPC from the controller", () => {
  const server = custom({ grpcOnly: { method: "a.B/C", from: { kind: "field", path: "2" } } });
  expect(() => resolveArgs("fraud", { ...seed, server })).toThrow('ingress.protocol must be "grpc"');
  const ingress = { ...seed.ingress, protocol: "grpc" } as const;
  expect(resolveArgs("fraud", { ...seed, server, ingress }).server.http).toBe(false);
});

describe("what is refused before anything is planned", () => {
  const refused = (args: BlueGreenModelArgs, name = "fraud") => {
    expect(() => resolveArgs(name, args)).toThrow(
      expect.objectContaining({ name: "UserError", exitCode: 2 }),
    );
    return expect(() => resolveArgs(name, args));
  };

  test("a name that makes no valid object names", () => {
    refused(seed, "Fraud_Model").toThrow(/BlueGreenModel "Fraud_Model": the name must be/);
  });

  test("another live slot than blue or green", () => {
    refused({ ...seed, live: "purple" as "blue" }).toThrow('live is "purple", but must be "blue" or "green"');
  });

  test("a routing that the live slot has no part in", () => {
    refused({ ...seed, live: "blue", routing: { main: "green", candidate: "green", weight: 0 } }).toThrow(
      'live is "blue", but the routing sends everything to "green"',
    );
  });

  test("slots that share pods", () => {
    const selector = { app: "fraud" };
    refused({ ...seed, slots: { blue: { selector }, green: {} } }).toThrow(
      /the slots share pods: blue selects/,
    );
  });

  test("a preview header that the router can't serve", () => {
    refused({ ...seed, router: "plain", previewHeader: "X-Canary" }).toThrow(/The router "plain" cannot/);
  });

  test.each([
    [{ ...seed, servicePort: 0 }, /servicePort is 0/],
    [
      { ...seed, router: "traefik" as const, testers: { header: { name: "A", value: "`) || Path(`/" } } },
      /has other characters than/,
    ],
    [{ ...seed, router: "contour" as const, routing: pinned }, /routing.pinned/],
    [{ ...seed, previewHeader: "X Canary" }, /previewHeader is "X Canary"/],
    [{ ...seed, ingress: { host: "" } }, /host is empty/],
    [{ ...seed, ingress: { host: "h", path: "v2" } }, /path is "v2", but must start with "\/"/],
    [{ ...seed, slots: { blue: { image: "" }, green: {} } }, /image of blue is empty/],
    [{ ...seed, slots: { blue: { image: "x", replicas: -1 }, green: {} } }, /blue has -1 replicas/],
    [
      { ...seed, ingress: { host: "h", annotations: { "kubernetes.io/ingress.class": "nginx" } } },
      /the class is set by ingress.className/,
    ],
  ])("wrong values (%#)", (args, message) => {
    refused(args).toThrow(message);
  });
});
