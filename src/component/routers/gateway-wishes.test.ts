import { expect, test } from "vitest";
import { unseenWishes, wishesGround } from "./gateway-wishes.ts";
import type { Wishes } from "./router.ts";

const classOf = (controllerName: string, ...features: readonly (string | { name: string })[]) => ({
  spec: { controllerName },
  status: { supportedFeatures: features },
});

test.each<[string, ReturnType<typeof classOf>, Wishes, string | undefined]>([
  ["nothing is asked for", classOf("example.com/x"), { cookie: false }, undefined],
  [
    "copies of all",
    classOf("x", { name: "HTTPRouteRequestMirror" }),
    { cookie: false, mirror: 100 },
    undefined,
  ],
  ["features as texts", classOf("x", "HTTPRouteRequestMirror"), { cookie: false, mirror: 100 }, undefined],
  [
    "some, which it cannot",
    classOf("x", "HTTPRouteRequestMirror"),
    { cookie: false, mirror: 5 },
    "percent to 100",
  ],
  ["no copies at all", classOf("traefik.io/gateway-controller"), { cookie: false, mirror: 100 }, "leave"],
  ["a cookie", classOf("gateway.envoyproxy.io/gatewayclass-controller"), { cookie: true }, undefined],
  [
    "copies, of a controller that is known to make them and names nothing",
    classOf("gateway.envoyproxy.io/gatewayclass-controller"),
    { cookie: false, mirror: 5, https: true },
    undefined,
  ],
  [
    "copies, of one that names other features",
    classOf("gateway.envoyproxy.io/gatewayclass-controller", "HTTPRouteRequestMirror"),
    { cookie: false, mirror: 5 },
    "percent to 100",
  ],
  ["TLS with pods", classOf("x", "BackendTLSPolicy"), { cookie: false, https: true }, undefined],
  ["TLS, which it cannot", classOf("x"), { cookie: false, https: true }, "choose a gateway"],
  ["a cookie, of nobody known", classOf("example.com/x"), { cookie: true }, "routing.testers.header"],
])("what the class of a Gateway has: %s", (_what, of, wishes, hint) => {
  const found = wishesGround("edge", of, wishes);
  if (hint === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject({ code: "gateway-lacks-feature" });
  expect(found?.hint.toLowerCase() ?? "").toContain(hint ?? "");
});

test("what may not be looked at is not taken to be there", () => {
  expect(unseenWishes("ml/edge", { cookie: false })).toBeUndefined();
  expect(unseenWishes("ml/edge", { cookie: true })?.code).toBe("gateway-unseen");
  expect(unseenWishes("ml/edge", { cookie: false, mirror: 10 })?.message).toContain("rollout.shadow");
  expect(unseenWishes("ml/edge", { cookie: false, https: true })?.message).toContain("ingress.protocol");
});
