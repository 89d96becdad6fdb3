import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settledOn } from "../../core/routing.ts";
import { haproxy } from "./haproxy.ts";
import { realSplit } from "./haproxy-weights.ts";
import type { RouterInput } from "./router.ts";

const input: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress: { host: "mlmodels.example.com", className: "haproxy" },
  previewHeader: "X-Preview",
  servicePort: 80,
};
const prefix = "haproxy-ingress.github.io";

function objects(changes: Partial<RouterInput> = {}) {
  const [ingress, service] = haproxy.objects({ ...input, ...changes });
  if (ingress === undefined || service === undefined) throw new Error("two objects expected");
  return { ingress, service };
}

describe("the router haproxy", () => {
  test("leads to one Service of both slots, and shares by annotations of the Ingress", () => {
    const { ingress, service } = objects();
    expect(ingress.spec).toMatchObject({
      rules: [{ http: { paths: [{ backend: { service: { name: "fraud-union", port: { number: 80 } } } }] } }],
    });
    expect(service.spec).toMatchObject({ selector: { app: "fraud" }, ports: [{ name: "http", port: 80 }] });
    expect(ingress.metadata.annotations).toMatchObject({
      [`${prefix}/blue-green-balance`]: "version=blue=75,version=green=25",
      [`${prefix}/blue-green-header`]: "X-Preview:version",
      [`${prefix}/initial-weight`]: "100",
    });
  });

  test("tells slots apart by the label that the selectors have", () => {
    const selectors = {
      blue: { team: "ml", tier: "a", color: "blue" },
      green: { team: "ml", tier: "b", color: "green" },
    };
    const { ingress, service } = objects({ selectors });
    expect(service.spec).toMatchObject({ selector: { team: "ml" } });
    expect(ingress.metadata.annotations[`${prefix}/blue-green-balance`]).toBe("color=blue=75,color=green=25");
  });

  test.each([
    [{ blue: { slot: "blue" }, green: { slot: "green" } }],
    [{ blue: { app: "fraud", v: "1" }, green: { app: "fraud", v: "2" } }],
    [{ blue: { app: "fraud", "a.io/v": "blue" }, green: { app: "fraud", "a.io/v": "green" } }],
  ])("refuses selectors %j", (selectors) => {
    expect(() => haproxy.objects({ ...input, selectors })).toThrow(/one Service for both slots/);
  });

  test("says what is asked of requests", () => {
    const { annotations } = objects({
      ingress: { ...input.ingress, timeout: 30, maxBodySize: "2Mi", protocol: "grpc" },
    }).ingress.metadata;
    expect(annotations).toMatchObject({
      [`${prefix}/timeout-server`]: "30s",
      [`${prefix}/proxy-body-size`]: "2097152",
      [`${prefix}/backend-protocol`]: "grpc",
    });
    const unlimited = objects({ ingress: { ...input.ingress, maxBodySize: "unlimited" } });
    expect(unlimited.ingress.metadata.annotations[`${prefix}/proxy-body-size`]).toBe("unlimited");
  });

  test("refuses what would share in another way, under each prefix that the controller reads", () => {
    for (const key of [`${prefix}/balance-algorithm`, "ingress.kubernetes.io/blue-green-balance"]) {
      const ingress = { ...input.ingress, annotations: { [key]: "leastconn" } };
      expect(() => haproxy.objects({ ...input, ingress })).toThrow(/annotations has ".*" writes/);
    }
  });

  test("without its annotation both slots have traffic: every pod gets the same", () => {
    const { ingress, service } = objects({ routing: settledOn("green") });
    const { [`${prefix}/blue-green-balance`]: _balance, ...annotations } = ingress.metadata.annotations;
    const bare = { ...ingress, metadata: { ...ingress.metadata, annotations } };
    expect(haproxy.read("fraud", [bare, service])).toEqual({ main: "green", candidate: "blue", weight: 50 });
  });
});

describe("what HAProxy Ingress makes of a share", () => {
  test.each([
    // With the controller's own initial-weight of 1 it would be 27.3 %.
    [{ blue: 75, green: 25 }, { blue: 3, green: 4 }, 25],
    [{ blue: 99, green: 1 }, { blue: 3, green: 4 }, 0.5181],
    [{ blue: 99, green: 1 }, { blue: 1, green: 1 }, 0.7752],
    [{ blue: 50, green: 50 }, { blue: 2, green: 5 }, 50],
    [{ blue: 60, green: 40 }, { blue: 3, green: 7 }, 39.9531],
    [{ blue: 100, green: 0 }, { blue: 3, green: 4 }, 0],
    [{ blue: 75, green: 25 }, { blue: 3, green: 0 }, 0],
    [{ blue: 75, green: 25 }, { blue: 0, green: 2 }, 100],
  ])("%j on %j pods", (split, replicas, green) => {
    expect(realSplit(split, replicas).green).toBeCloseTo(green, 3);
  });

  test("adds up to all, and is near what is declared from 5 % and ten pods on", () => {
    const pods = fc.integer({ min: 1, max: 10 });
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 95 }), pods, pods, (weight, blue, green) => {
        const real = realSplit({ blue: 100 - weight, green: weight }, { blue, green });
        expect(real.blue + real.green).toBeCloseTo(100, 6);
        expect(Math.abs(real.green - weight)).toBeLessThan(5);
      }),
    );
  });
});
