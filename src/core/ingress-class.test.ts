import { describe, expect, test } from "vitest";
import { ingressClassVerdict, whoGivesAddress } from "./ingress-class.ts";

const classes = [
  { metadata: { name: "traefik" }, spec: { controller: "traefik.io/ingress-controller" } },
  {
    metadata: { name: "alb", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
    spec: { controller: "ingress.k8s.aws/alb" },
  },
];

describe("the class of an Ingress", () => {
  test("exists", () => {
    const verdict = ingressClassVerdict("traefik", false, classes);
    expect(verdict).toEqual({ kind: "exists", controller: "traefik.io/ingress-controller" });
    expect(whoGivesAddress("traefik", verdict)).toContain("the controller traefik.io/ingress-controller");
  });

  test("does not: those that do are named, with the one that is meant", () => {
    expect(ingressClassVerdict("nginx", false, classes)).toMatchObject({
      kind: "missing",
      message:
        "The cluster has no IngressClass nginx, so nobody would serve the Ingress. It has alb (the default), traefik.",
      hint: expect.stringContaining('Set ingress.className: "alb"'),
    });
    expect(ingressClassVerdict("treafik", false, classes)).toMatchObject({
      hint: expect.stringContaining('Set ingress.className: "traefik"'),
    });
    expect(ingressClassVerdict("nginx", false, [])).toMatchObject({
      message: expect.stringContaining("It has none at all."),
      hint: expect.stringContaining("Install an ingress controller"),
    });
  });

  test("an annotation needs none, and nobody knows what may not be listed", () => {
    expect(ingressClassVerdict("nginx", true, classes)).toMatchObject({ kind: "unknown" });
    expect(ingressClassVerdict("nginx", false, undefined)).toMatchObject({ kind: "unknown" });
  });
});
