import { describe, expect, test } from "vitest";
import type { PropertyMap } from "../struct.ts";
import { ingressVerdict } from "./ingress.ts";

const ingress = (spec: PropertyMap, addresses: PropertyMap[] = []): PropertyMap => ({
  metadata: { name: "i", namespace: "n" },
  spec: {
    rules: [
      {
        host: "a.example.com",
        http: { paths: [{ path: "/v2", backend: { service: { name: "blue", port: { number: 80 } } } }] },
      },
    ],
    ...spec,
  },
  status: { loadBalancer: { ingress: addresses } },
});

const nginx: PropertyMap = { metadata: { name: "nginx" }, spec: { controller: "k8s.io/ingress-nginx" } };

const verdict = (object: PropertyMap, classes = [nginx], services = ["blue"]) =>
  ingressVerdict({ ingress: object, classes, services: new Set(services) });

const said = (result: ReturnType<typeof verdict>) => ("reasons" in result ? result.reasons.join("\n") : "");

describe("an Ingress", () => {
  test("is ready when an address is published", () => {
    expect(verdict(ingress({}, [{ hostname: "lb.example.com" }]))).toEqual({ state: "ready" });
  });

  test("is ready but says that a Service is missing", () => {
    const result = verdict(ingress({}, [{ ip: "192.0.2.1" }]), [nginx], []);
    expect(result).toMatchObject({
      state: "ready",
      note: expect.stringContaining('a.example.com/v2 goes to the Service "blue"'),
    });
  });

  test("without address says whose turn it is", () => {
    expect(said(verdict(ingress({ ingressClassName: "traefik" })))).toContain(
      'the ingress class "traefik" does not exist (there are: nginx)',
    );
    expect(said(verdict(ingress({ ingressClassName: "nginx" })))).toContain("k8s.io/ingress-nginx");
    expect(said(verdict(ingress({})))).toContain("no class is the default");
    const metadata = {
      name: "nginx",
      annotations: { "ingressclass.kubernetes.io/is-default-class": "true" },
    };
    expect(said(verdict(ingress({}), [{ ...nginx, metadata }]))).toContain('the default class "nginx"');
  });
});
