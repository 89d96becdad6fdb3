import { describe, expect, test } from "vitest";
import { samplesOf } from "../../../core/exposition.ts";
import type { ControllerCounters, CountedModel } from "./counted.ts";
import { contourEnvoy } from "./envoy.ts";
import { ingressNginx } from "./ingress-nginx.ts";
import { traefikCrd, traefikGateway, traefikNginx } from "./traefik.ts";

const model: CountedModel = {
  namespace: "prod",
  main: "fraud",
  services: { blue: "fraud-blue", green: "fraud-green" },
  servicePort: 80,
  routing: { main: "blue", candidate: "green", weight: 25 },
};
const counted = (counters: ControllerCounters, text: string, about: Partial<CountedModel> = {}) =>
  counters.count(samplesOf(text, new Set(counters.metrics)), { ...model, ...about });

describe("Traefik with the annotations of ingress-nginx", () => {
  const service = "prod-fraud-fraud-blue-80";
  const text = `
traefik_service_requests_total{code="200",method="POST",protocol="http",service="${service}@kubernetesingressnginx"} 70
traefik_service_requests_total{code="503",method="POST",protocol="http",service="${service}@kubernetesingressnginx"} 5
traefik_service_requests_total{code="200",method="GET",protocol="http",service="${service}-canary@kubernetesingressnginx"} 20
traefik_service_requests_total{code="500",method="GET",protocol="http",service="${service}-canary@kubernetesingressnginx"} 4
traefik_service_requests_total{code="200",method="GET",protocol="http",service="prod-spam-spam-blue-80@kubernetesingressnginx"} 900
traefik_service_request_duration_seconds_bucket{code="200",service="${service}@kubernetesingressnginx",le="0.3"} 60
traefik_service_request_duration_seconds_bucket{code="200",service="${service}@kubernetesingressnginx",le="1.2"} 70
traefik_service_request_duration_seconds_bucket{code="200",service="${service}@kubernetesingressnginx",le="+Inf"} 75
traefik_service_request_duration_seconds_bucket{code="200",service="${service}-canary@kubernetesingressnginx",le="0.3"} 10
traefik_service_request_duration_seconds_bucket{code="200",service="${service}-canary@kubernetesingressnginx",le="1.2"} 24
traefik_service_request_duration_seconds_bucket{code="200",service="${service}-canary@kubernetesingressnginx",le="+Inf"} 24
`;

  test("the candidate is called after the main Service", () => {
    expect(counted(traefikNginx, text)).toEqual({
      slots: {
        blue: { requests: 75, events: { errors: 5 } },
        green: { requests: 24, events: { errors: 4 } },
      },
      bounds: [0.3, 1.2],
    });
    const swapped = counted(traefikNginx, text, {
      routing: { main: "green", candidate: "blue", weight: 25 },
    });
    expect(swapped.slots).toEqual({});
  });

  test("what took longer than a bound; a bound between two buckets can't be told", () => {
    const { slots } = counted(traefikNginx, text, { latency: 0.3 });
    expect([slots.blue?.events.latency, slots.green?.events.latency]).toEqual([15, 14]);
    expect(counted(traefikNginx, text, { latency: 1 }).slots.blue?.events).toEqual({ errors: 5 });
  });
});

describe("Traefik with objects that weigh", () => {
  const line = (service: string, count: number, code = "200") =>
    `traefik_service_requests_total{code="${code}",method="POST",protocol="http",service="${service}"} ${count}`;
  const expected = {
    blue: { requests: 30, events: { errors: 0 } },
    green: { requests: 12, events: { errors: 2 } },
  };

  test("its own kinds: a slot's Service, and not the service of the whole route", () => {
    const text = [
      line("prod-fraud-blue-80@kubernetescrd", 30),
      line("prod-fraud-green-80@kubernetescrd", 10),
      line("prod-fraud-green-80@kubernetescrd", 2, "500"),
      line("prod-fraud-0928966565aaf0f2c428@kubernetescrd", 42),
      line("test-fraud-blue-80@kubernetescrd", 900),
    ].join("\n");
    expect(counted(traefikCrd, text).slots).toEqual(expected);
  });

  test("the Gateway API: all rules of the route that name the Service", () => {
    const of = (rule: number, service: string) =>
      `httproute-prod-fraud-gw-infra-edge-ep-web-${rule}-45bb7d7a6eca9a8a7cc9-svc-prod-${service}@kubernetesgateway`;
    const text = [
      line(of(0, "fraud-blue-0"), 1),
      line(of(2, "fraud-blue-0"), 29),
      line(of(2, "fraud-green-1"), 10),
      line(of(1, "fraud-green-0"), 2, "503"),
      line(of(2, "fraud-blue-2-0"), 7),
      line(of(2, "fraud-blue-0").replace("httproute-prod-fraud-", "httproute-prod-other-"), 900),
    ].join("\n");
    expect(counted(traefikGateway, text).slots).toEqual(expected);
  });
});

describe("ingress-nginx", () => {
  const about = 'namespace="prod",ingress="fraud",service="fraud-blue"';
  const text = `
nginx_ingress_controller_requests{${about},canary="",status="200"} 90
nginx_ingress_controller_requests{${about},canary="-",status="502"} 3
nginx_ingress_controller_requests{${about},canary="prod-fraud-green-80",status="200"} 30
nginx_ingress_controller_requests{${about},canary="prod-fraud-green-80",status="500"} 6
nginx_ingress_controller_requests{namespace="test",ingress="fraud",canary="",status="200"} 1000
`;

  test("the candidate is the one that `canary` names", () => {
    expect(counted(ingressNginx, text).slots).toEqual({
      blue: { requests: 93, events: { errors: 3 } },
      green: { requests: 36, events: { errors: 6 } },
    });
  });
});

describe("Envoy behind Contour", () => {
  const label = (service: string) => `envoy_cluster_name="prod_${service}_80"`;
  const text = `
envoy_cluster_upstream_rq{envoy_response_code="200",${label("fraud-blue")}} 80
envoy_cluster_upstream_rq{envoy_response_code="503",${label("fraud-blue")}} 4
envoy_cluster_upstream_rq{envoy_response_code="200",${label("fraud-green")}} 21
envoy_cluster_upstream_rq{envoy_response_code="200",${label("spam-green")}} 900
envoy_cluster_external_upstream_rq{envoy_response_code="200",${label("fraud-blue")}} 80
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",${label("fraud-blue")}} 80
envoy_cluster_upstream_rq_time_bucket{${label("fraud-blue")},le="250"} 70
envoy_cluster_upstream_rq_time_bucket{${label("fraud-blue")},le="500"} 81
envoy_cluster_upstream_rq_time_bucket{${label("fraud-blue")},le="+Inf"} 84
`;

  test("a cluster for each slot's Service; its buckets are in milliseconds", () => {
    expect(counted(contourEnvoy, text, { latency: 0.25 })).toEqual({
      slots: {
        blue: { requests: 84, events: { errors: 4, latency: 14 } },
        green: { requests: 21, events: { errors: 0, latency: 0 } },
      },
      bounds: [0.25, 0.5],
    });
  });
});
