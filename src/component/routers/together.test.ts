import { describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { settledOn } from "../../core/routing.ts";
import { gatewayApi } from "./gateway-api.ts";
import { nginx } from "./nginx.ts";
import { plain } from "./plain.ts";
import { refuseSharedObjects, routerOf, together } from "./together.ts";
import { traefik } from "./traefik.ts";

const ingress = { host: "fraud.test" };
const gateway = { ...ingress, gateway: { name: "edge" } };
const input = {
  model: "fraud",
  namespace: "ml",
  routing: { main: "blue", candidate: "green", weight: 25 },
  ingress,
  previewHeader: "X-Modelswitch-Preview",
  servicePort: 80,
} as const;

describe("two routers at a time", () => {
  const both = together(nginx, [{ router: "gateway-api", ingress: gateway }]);

  test("alone it is the router itself", () => {
    expect(together(nginx, [])).toBe(nginx);
    expect(routerOf({ router: "traefik" })).toBe(traefik);
  });

  test("the objects of both say the same routing, each in its own words", () => {
    const objects = both.objects(input);
    expect(both.refs("fraud").map(({ kind, name }) => `${kind.kind} ${name}`)).toEqual([
      "Ingress fraud",
      "Ingress fraud-canary",
      "HTTPRoute fraud",
    ]);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "Ingress fraud",
      "Ingress fraud-canary",
      "HTTPRoute fraud",
    ]);
    expect(nginx.read("fraud", objects.slice(0, 2))).toEqual(input.routing);
    expect(gatewayApi.read("fraud", objects.slice(2))).toEqual(input.routing);
    expect(both.read("fraud", objects)).toEqual(input.routing);
  });

  test("the first says where traffic is, whatever the others say", () => {
    const own = nginx.objects({ ...input, routing: settledOn("green") });
    const others = gatewayApi.objects({ ...input, ingress: gateway, routing: settledOn("blue") });
    expect(both.read("fraud", [...own, ...others])).toEqual(settledOn("green"));
    // Names are the same in many kinds: what is gone of the first is not looked for among the others.
    expect(both.read("fraud", others)).toBeUndefined();
    const first = together(traefik, [{ router: "nginx", ingress }]);
    expect(first.read("fraud", nginx.objects(input))).toBeUndefined();
  });

  test("what one of them cannot do is not done", () => {
    expect(both.capabilities).toMatchObject({ weights: true, commit: true, header: true });
    const named = { host: "fraud.test", name: "fraud-edge" };
    expect(together(nginx, [{ router: "plain", ingress: named }]).capabilities.weights).toBe(false);
    expect(together(traefik, [{ router: "nginx", ingress }]).capabilities.commit).toBe(false);
  });

  test("two that would write one object are told how to name it otherwise", async () => {
    const shared = (beside: Parameters<typeof refuseSharedObjects>[2]) => () =>
      Promise.resolve().then(() => refuseSharedObjects("fraud", nginx, beside));
    const error = await failureOf(shared({ router: "nginx", ingress: { ...ingress, className: "edge" } })());
    expect(error).toMatchObject({ code: "routers-share-object", exitCode: 2 });
    expect(error.message).toContain("Ingress fraud and the Ingress fraud-canary");
    expect(error.hint).toContain("canaryName");
    const other = { ...ingress, className: "edge", name: "fraud-edge", canaryName: "fraud-edge-canary" };
    refuseSharedObjects("fraud", nginx, { router: "nginx", ingress: other });
    expect(together(nginx, [{ router: "nginx", ingress: other }]).refs("fraud")).toHaveLength(4);
    refuseSharedObjects("fraud", plain, { router: "traefik", ingress });
  });
});
