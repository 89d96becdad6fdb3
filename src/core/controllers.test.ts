import { expect, test } from "vitest";
import {
  controllerNamed,
  controllerNames,
  controllerOfGatewayClass,
  controllerOfIngressClass,
  ignoredAnnotations,
} from "./controllers.ts";

test("classes are told by what their controllers call themselves, also with a class of their own behind it", () => {
  expect(controllerOfIngressClass("k8s.io/ingress-nginx")?.name).toBe("ingress-nginx");
  expect(controllerOfIngressClass("haproxy.org/ingress-controller/haproxy")?.name).toBe("haproxytech");
  expect(controllerOfIngressClass("projectcontour.io/ingress/contour")?.name).toBe("contour");
  expect(controllerOfIngressClass("example.com/ours")).toBeUndefined();
  expect(controllerOfGatewayClass("gateway.envoyproxy.io/gatewayclass-controller")?.name).toBe(
    "envoy-gateway",
  );
  expect(controllerOfGatewayClass("k8s.io/ingress-nginx")).toBeUndefined();
});

test("each name has its row, and no two rows claim the same class", () => {
  const rows = controllerNames.map(controllerNamed);
  const classes = rows.flatMap(({ ingressClass, gatewayClass }) =>
    [ingressClass ?? [], gatewayClass ?? []].flat(),
  );
  const overlapping = classes.filter((one, index) =>
    classes.some(
      (other, at) =>
        at < index && one === other && one !== "projectcontour.io/" && one !== "apisix.apache.org/",
    ),
  );
  expect(overlapping).toEqual([]);
});

test("an annotation of another controller is ignored; one that nobody is known to read is anybody's", () => {
  const annotations = {
    "haproxy.org/rate-limit-requests": "10",
    "traefik.ingress.kubernetes.io/router.middlewares": "x",
    "cert-manager.io/cluster-issuer": "y",
  };
  const ignored = ignoredAnnotations(annotations, controllerNamed("traefik"));
  expect(ignored.map(({ annotation, readBy }) => [annotation, readBy.map(({ name }) => name)])).toEqual([
    ["haproxy.org/rate-limit-requests", ["haproxytech"]],
  ]);
});
