import { describe, expect, test } from "vitest";
import { helperDown, helperFailure, isDenial } from "./helpers-down.ts";

describe("somebody whom the API server asks is down", () => {
  test.each([
    [
      'Internal error occurred: failed calling webhook "validate.nginx.ingress.kubernetes.io": failed to call webhook: Post "https://ingress-nginx-controller-admission.ingress-nginx.svc:443/networking/v1/ingresses?timeout=10s": dial tcp 10.111.201.182:443: connect: no route to host',
      "admission-webhook",
      "validate.nginx.ingress.kubernetes.io",
      'Post "https://ingress-nginx-controller-admission.ingress-nginx.svc:443/networking/v1/ingresses": dial tcp 10.111.201.182:443: connect: no route to host',
    ],
    [
      'Internal error occurred: failed calling webhook "a.b"; no further details available',
      "admission-webhook",
      "a.b",
      "no further details available",
    ],
    ['failed calling webhook "a.b":', "admission-webhook", "a.b", "no further details"],
    [
      'conversion webhook for acme.io/v1, Kind=Model failed: Post "https://c.acme.svc:443/convert?timeout=30s": EOF',
      "conversion-webhook",
      "acme.io/v1, Kind=Model",
      'Post "https://c.acme.svc:443/convert": EOF',
    ],
    [
      "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is currently unable to handle the request",
      "aggregated-api",
      "metrics.k8s.io/v1beta1",
      "the server is currently unable to handle the request",
    ],
  ])("%s", (message, kind, name, why) => {
    const failure = helperFailure(message);
    expect(failure).toEqual({ kind, name, why });
    if (failure === undefined) return;
    const error = helperDown(failure, "The write failed");
    expect(error).toMatchObject({ code: `${kind}-down`, exitCode: 1, hint: expect.stringContaining("well") });
    expect(error.message).toContain(`"${name}"`);
  });

  test.each([
    "etcdserver: request timed out",
    "the server is currently unable to handle the request",
    'admission webhook "a.b" denied the request: no',
    'webhook "a.b" is not valid',
  ])("%s: nobody but the API server", (message) => {
    expect(helperFailure(message)).toBeUndefined();
  });

  test("a webhook that refuses, with whatever status, is not down", () => {
    expect(isDenial('admission webhook "a.b" denied the request: no')).toBe(true);
    expect(isDenial("denied the request")).toBe(false);
  });
});
