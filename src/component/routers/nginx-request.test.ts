import { describe, expect, test } from "vitest";
import { requestProblems } from "../../core/request-rules.ts";
import { settledOn } from "../../core/routing.ts";
import { requireRequestCapabilities, routerNamed } from "./factory.ts";
import { nginx } from "./nginx.ts";
import { requestAnnotations } from "./nginx-request.ts";

const prefix = "nginx.ingress.kubernetes.io";

describe("options of requests", () => {
  test("nothing said, nothing written", () => {
    expect(requestAnnotations({})).toEqual({});
    expect(requestAnnotations({ protocol: "http" })).toEqual({});
  });

  test("are what ingress-nginx and Traefik read", () => {
    expect(requestAnnotations({ timeout: 120, maxBodySize: "64Mi", protocol: "https" })).toEqual({
      [`${prefix}/proxy-read-timeout`]: "120",
      [`${prefix}/proxy-send-timeout`]: "120",
      [`${prefix}/proxy-body-size`]: String(64 * 1024 * 1024),
      [`${prefix}/proxy-request-buffering`]: "on",
      [`${prefix}/backend-protocol`]: "HTTPS",
    });
    expect(requestAnnotations({ maxBodySize: "unlimited", protocol: "grpc" })).toEqual({
      [`${prefix}/proxy-body-size`]: "0",
      [`${prefix}/backend-protocol`]: "GRPC",
    });
  });

  test("are the main Ingress's, and refused twice", () => {
    const input = {
      model: "fraud",
      namespace: undefined,
      routing: settledOn("blue"),
      previewHeader: "X-P",
      servicePort: 80,
    };
    const [main, canary] = nginx.objects({ ...input, ingress: { host: "h", timeout: 5 } });
    expect(main?.metadata.annotations).toHaveProperty([`${prefix}/proxy-read-timeout`], "5");
    expect(canary?.metadata.annotations).not.toHaveProperty([`${prefix}/proxy-read-timeout`]);
    const annotations = { [`${prefix}/proxy-read-timeout`]: "7" };
    expect(() => nginx.objects({ ...input, ingress: { host: "h", timeout: 5, annotations } })).toThrow(
      expect.objectContaining({ code: "annotation-owned" }),
    );
    expect(nginx.objects({ ...input, ingress: { host: "h", annotations } })).toHaveLength(2);
  });

  test("a router that lacks one says so, and names those that have it", () => {
    for (const option of [{ timeout: 5 }, { maxBodySize: "1Mi" }, { protocol: "grpc" } as const]) {
      expect(() => requireRequestCapabilities(routerNamed("plain"), option)).toThrow(
        expect.objectContaining({
          code: "capability-missing",
          message: expect.stringContaining('The router "plain"'),
          hint: expect.stringContaining("nginx"),
        }),
      );
      expect(() => requireRequestCapabilities(nginx, option)).not.toThrow();
    }
    expect(() => requireRequestCapabilities(routerNamed("plain"), { protocol: "http" })).not.toThrow();
  });

  test.each([
    [{ timeout: 0 }, "timeout", "is 0, but must be a whole number of seconds"],
    [{ timeout: 1.5 }, "timeout", "is 1.5"],
    [{ maxBodySize: "10MB" }, "maxBodySize", 'did you mean "10Mi" (1024) or "10M" (1000)?'],
    [{ maxBodySize: "0" }, "maxBodySize", 'write "unlimited"'],
    [{ maxBodySize: "1Mi", protocol: "grpc" }, "maxBodySize", "a gRPC stream has no size"],
    [{ protocol: "h2c" }, "protocol", "must be one of http, https, grpc, grpcs"],
  ])("%j is refused", (ingress, key, message) => {
    const found = requestProblems(ingress) as Record<string, string>;
    expect(Object.keys(found)).toEqual([key]);
    expect(found[key]).toContain(message);
  });
});
