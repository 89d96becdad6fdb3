import { describe, expect, test } from "vitest";
import { settledOn } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { plain } from "./plain.ts";
import type { RouterInput } from "./router.ts";

const input: RouterInput = {
  model: "fraud",
  namespace: undefined,
  routing: settledOn("blue"),
  ingress: { host: "mlmodels.example.com", path: "/fraud", pathType: "Exact" },
  previewHeader: "X-Modelswitch-Preview",
  servicePort: 8000,
};

describe("the plain router", () => {
  test("writes one Ingress to the main slot", () => {
    expect(plain.objects({ ...input, routing: settledOn("green") })).toEqual([
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: {
          name: "fraud",
          labels: {
            app: "fraud",
            "app.kubernetes.io/name": "fraud",
            "app.kubernetes.io/instance": "fraud",
            "app.kubernetes.io/managed-by": "modelswitch",
          },
          annotations: {},
        },
        spec: {
          ingressClassName: "nginx",
          rules: [
            {
              host: "mlmodels.example.com",
              http: {
                paths: [
                  {
                    path: "/fraud",
                    pathType: "Exact",
                    backend: { service: { name: "fraud-green", port: { number: 8000 } } },
                  },
                ],
              },
            },
          ],
        },
      },
    ]);
  });

  test.each(slots)("reads %s back", (slot) => {
    expect(plain.read("fraud", plain.objects({ ...input, routing: settledOn(slot) }))).toEqual(
      settledOn(slot),
    );
  });

  test("reads nothing where there is no Ingress of the model", () => {
    expect(plain.read("fraud", [])).toBeUndefined();
    expect(plain.read("other", plain.objects(input))).toBeUndefined();
  });

  test("refuses to split traffic, and names the router that can", () => {
    const split = () =>
      plain.objects({ ...input, routing: { main: "blue", candidate: "green", weight: 25 } });
    expect(split).toThrow(
      'The router "plain" cannot split traffic, but the routing asks for 75 % blue and 25 % green.',
    );
    expect(split).toThrow(
      expect.objectContaining({ code: "routing-unsupported", hint: expect.stringContaining("nginx") }),
    );
  });

  test("refuses canary annotations: they would move traffic behind its back", () => {
    const ingress = { host: "h", annotations: { "nginx.ingress.kubernetes.io/canary": "true" } };
    expect(() => plain.objects({ ...input, ingress })).toThrow(
      /canary annotations belong to the router "plain"/,
    );
  });
});
