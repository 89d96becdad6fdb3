import { describe, expect, test } from "vitest";
import { samplesOf } from "../../../core/exposition.ts";
import type { ControllerCounters, CountedModel } from "./counted.ts";
import { contourEnvoy } from "./envoy.ts";
import { haproxyIngressCounters, haproxyTechCounters } from "./haproxy.ts";
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
    const bounds = [0.3, 1.2, Number.POSITIVE_INFINITY];
    expect(counted(traefikNginx, text)).toEqual({
      blue: { requests: 75, errors: 5, latencies: { bounds, counts: [60, 70, 75] } },
      green: { requests: 24, errors: 4, latencies: { bounds, counts: [10, 24, 24] } },
    });
    const swapped = counted(traefikNginx, text, {
      routing: { main: "green", candidate: "blue", weight: 25 },
    });
    expect(swapped).toEqual({});
  });

  test("it is known before it has had any request", () => {
    expect(
      traefikNginx.isOf(samplesOf("traefik_config_reloads_total 1", new Set(traefikNginx.metrics))),
    ).toBe(true);
  });
});

describe("Traefik with objects that weigh", () => {
  const line = (service: string, count: number, code = "200") =>
    `traefik_service_requests_total{code="${code}",method="POST",protocol="http",service="${service}"} ${count}`;
  const expected = {
    blue: { requests: 30, errors: 0, latencies: { bounds: [], counts: [] } },
    green: { requests: 12, errors: 2, latencies: { bounds: [], counts: [] } },
  };

  test("its own kinds: a slot's Service, and not the service of the whole route", () => {
    const text = [
      line("prod-fraud-blue-80@kubernetescrd", 30),
      line("prod-fraud-green-80@kubernetescrd", 10),
      line("prod-fraud-green-80@kubernetescrd", 2, "500"),
      line("prod-fraud-0928966565aaf0f2c428@kubernetescrd", 42),
      line("test-fraud-blue-80@kubernetescrd", 900),
    ].join("\n");
    expect(counted(traefikCrd, text)).toEqual(expected);
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
    expect(counted(traefikGateway, text)).toEqual(expected);
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
    expect(counted(ingressNginx, text)).toMatchObject({
      blue: { requests: 93, errors: 3 },
      green: { requests: 36, errors: 6 },
    });
  });
});

describe("HAProxy", () => {
  test("haproxytech: a backend for each Service; green has that of the shift and that of previews", () => {
    const line = (proxy: string, code: string, value: number) =>
      `haproxy_backend_http_responses_total{proxy="${proxy}",code="${code}"} ${value}`;
    const text = [
      line("prod_svc_fraud-blue_http", "2xx", 70),
      line("prod_svc_fraud-blue_http", "5xx", 5),
      line("prod_svc_fraud-shift_http", "2xx", 20),
      line("prod_svc_fraud-preview_http", "2xx", 4),
      line("prod_fraud-shift_80", "3xx", 1),
      line("test_svc_fraud-blue_http", "2xx", 900),
    ].join("\n");
    expect(counted(haproxyTechCounters, text)).toMatchObject({
      blue: { requests: 75, errors: 5 },
      green: { requests: 25, errors: 0 },
    });
  });

  test("HAProxy Ingress: a server for each pod in the backend of both", () => {
    const line = (server: string, code: string, value: number) =>
      `haproxy_server_http_responses_total{proxy="prod_fraud-union_http",server="${server}",code="${code}"} ${value}`;
    const text = [
      line("fraud-blue-6c9f7b8d5-abcde", "2xx", 60),
      line("fraud-blue-6c9f7b8d5-fghij", "5xx", 5),
      line("fraud-green-7d4f8b9c6-klmno", "2xx", 20),
      line("fraud-blue-extra-6c9f7b8d5-abcde", "2xx", 900),
    ].join("\n");
    expect(counted(haproxyIngressCounters, text)).toMatchObject({
      blue: { requests: 65, errors: 5 },
      green: { requests: 20, errors: 0 },
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
    const bounds = [0.25, 0.5, Number.POSITIVE_INFINITY];
    expect(counted(contourEnvoy, text)).toEqual({
      blue: { requests: 84, errors: 4, latencies: { bounds, counts: [70, 81, 84] } },
      green: { requests: 21, errors: 0, latencies: { bounds: [], counts: [] } },
    });
  });
});
