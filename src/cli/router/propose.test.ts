import { describe, expect, test } from "vitest";
import { routerVerdict } from "../doctor/router-check.ts";
import { configText } from "../init/template.ts";
import type { FoundControllers } from "./found.ts";
import { proposalText, proposeRouters } from "./propose.ts";

const nothing: FoundControllers = {
  ingressClasses: [],
  gatewayClasses: [],
  gateways: [],
  groups: ["networking.k8s.io"],
  unseen: [],
};
const ofClass = (name: string, controller: string, isDefault = false) => ({ name, controller, isDefault });
const namesOf = (found: FoundControllers) => proposeRouters(found).map(({ router }) => router);

describe("the router that is proposed", () => {
  test("is the one whose objects the class's controller reads, and plain for one that nobody knows", () => {
    const ingressClasses = [ofClass("ours", "example.com/ours"), ofClass("nginx", "k8s.io/ingress-nginx")];
    expect(proposeRouters({ ...nothing, ingressClasses }).map(proposalText)).toEqual([
      'IngressClass nginx: ingress-nginx, or Traefik in its place → router: "nginx", ingress.className: "nginx"',
      'IngressClass ours: example.com/ours → router: "plain", ingress.className: "ours"',
    ]);
  });

  test("is one of a controller's own objects only where the cluster knows their kinds", () => {
    const ingressClasses = [ofClass("traefik", "traefik.io/ingress-controller", true)];
    expect(namesOf({ ...nothing, ingressClasses })).toEqual(["plain"]);
    expect(namesOf({ ...nothing, ingressClasses, groups: ["networking.k8s.io", "traefik.io"] })).toEqual([
      "traefik",
    ]);
  });

  test("is alb for its class, and nginx-inc where its kinds are", () => {
    const ingressClasses = [
      ofClass("alb", "ingress.k8s.aws/alb"),
      ofClass("f5", "nginx.org/ingress-controller"),
    ];
    expect(namesOf({ ...nothing, ingressClasses })).toEqual(["alb", "plain"]);
    const groups = ["networking.k8s.io", "k8s.nginx.org"];
    expect(namesOf({ ...nothing, ingressClasses, groups })).toEqual(["alb", "nginx-inc"]);
  });

  test("is istio where Istio has a Gateway, which its IngressClass does not name", () => {
    const found = {
      ...nothing,
      ingressClasses: [ofClass("istio", "istio.io/ingress-controller")],
      istioGateways: [{ name: "edge", namespace: "istio-ingress" }],
      groups: ["networking.k8s.io", "networking.istio.io"],
    };
    expect(proposeRouters(found).map(proposalText)).toEqual([
      expect.stringMatching(/^Gateway istio-ingress\/edge of Istio → router: "istio", .*ingress\.endpoints/),
      expect.stringContaining('router: "plain"'),
    ]);
  });

  test("is gateway-api where a Gateway has a class that somebody has accepted", () => {
    const gateways = [{ name: "edge", namespace: "gateways", className: "eg" }];
    const gatewayClass = {
      name: "eg",
      controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
    };
    const accepted = { ...nothing, gateways, gatewayClasses: [{ ...gatewayClass, isAccepted: true }] };
    expect(proposeRouters(accepted).map(proposalText)).toEqual([
      'Gateway gateways/edge of the class eg: Envoy Gateway → router: "gateway-api", ingress.gateway: { name: "edge", namespace: "gateways" }',
    ]);
    expect(namesOf({ ...accepted, gatewayClasses: [{ ...gatewayClass, isAccepted: false }] })).toEqual([]);
  });
});

test("what is proposed stands in the configuration that `init` writes", () => {
  const answers = {
    name: "fraud",
    image: "x:1",
    host: "fraud.test",
    server: "mlserver",
    namespace: undefined,
  } as const;
  const [gateway] = proposeRouters({
    ...nothing,
    gateways: [{ name: "edge", namespace: "gateways", className: "eg" }],
  });
  expect(configText({ ...answers, className: undefined, routing: gateway }, undefined)).toContain(
    'router: "gateway-api",\n  ingress: { host: "fraud.test", gateway: { name: "edge", namespace: "gateways" } },',
  );
  const [traefik] = proposeRouters({
    ...nothing,
    ingressClasses: [ofClass("traefik", "traefik.io/ingress-controller")],
    groups: ["networking.k8s.io", "traefik.io"],
  });
  expect(configText({ ...answers, className: "traefik", routing: traefik }, undefined)).toContain(
    'router: "traefik",\n  ingress: { host: "fraud.test", className: "traefik", endpoints: ["http://203.0.113.7"] },',
  );
});

describe("the check of the router", () => {
  const ingress = { host: "fraud.test", className: "edge" };
  const haproxy = { ...nothing, ingressClasses: [ofClass("edge", "haproxy.org/ingress-controller/edge")] };

  test("says when its objects are for others than the class's controller", () => {
    expect(routerVerdict(haproxy, { router: "nginx", ingress })).toMatchObject({
      state: "warning",
      detail: expect.stringContaining("HAProxy Kubernetes Ingress Controller"),
    });
    expect(routerVerdict(haproxy, { router: "plain", ingress })).toMatchObject({ state: "ok" });
  });

  test("says what a change of a backend costs with the class's controller", () => {
    const balancer = { ...nothing, ingressClasses: [ofClass("edge", "ingress.k8s.aws/alb")] };
    expect(routerVerdict(balancer, { router: "plain", ingress })).toMatchObject({
      state: "warning",
      detail: expect.stringContaining("target group"),
    });
    expect(routerVerdict(balancer, { router: "alb", ingress })).toMatchObject({ state: "ok" });
  });

  test("names annotations that the class's controller does not read", () => {
    const annotations = { "nginx.ingress.kubernetes.io/proxy-read-timeout": "5" };
    expect(routerVerdict(haproxy, { router: "plain", ingress: { ...ingress, annotations } })).toMatchObject({
      state: "warning",
      detail: expect.stringContaining("proxy-read-timeout"),
    });
  });

  test("passes no judgement on what it may not see", () => {
    expect(routerVerdict({ ...nothing, unseen: ["IngressClasses"] }, undefined)).toMatchObject({
      state: "skipped",
      detail: expect.stringContaining("may not list IngressClasses"),
    });
    expect(routerVerdict(nothing, undefined)).toMatchObject({ state: "warning" });
  });
});
