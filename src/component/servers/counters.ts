import type { Sample } from "../../core/exposition.ts";
import type { CountedSlot } from "../../core/statistics/counted.ts";
import { histogramOf, sum } from "../routers/counters/counted.ts";

/**
 * How a model server counts the inference requests of one of its pods. What never reached it (answers that the ingress gives itself, broken
 * connections) is not in it.
 */
export interface ServerCounters {
  /** The metrics that are read. */
  readonly metrics: readonly string[];
  /** Whether these metrics are of this server. Pure. */
  isOf(samples: readonly Sample[]): boolean;
  /** Pure. */
  count(samples: readonly Sample[]): CountedSlot;
}

/** Of servers that count by HTTP status. */
function byStatus(about: {
  readonly requests: string;
  readonly latency?: string;
  readonly status: string;
  /** Whether a sample is of an inference request, and not of a probe or of the metrics themselves. */
  readonly isInference: (labels: Sample["labels"]) => boolean;
}): ServerCounters {
  const { requests, latency, status, isInference } = about;
  return {
    metrics: [requests, ...(latency === undefined ? [] : [latency])],
    isOf: (samples) => samples.some(({ name }) => name === requests),
    count(samples) {
      const of = (metric: string | undefined) =>
        samples.filter(({ name, labels }) => name === metric && isInference(labels));
      const counts = of(requests);
      return {
        requests: sum(counts),
        errors: sum(counts.filter(({ labels }) => /^5/.test(labels[status] ?? ""))),
        latencies: histogramOf(of(latency)),
      };
    },
  };
}

/** What probes and people ask for, whatever the framework. */
const besides =
  /^\/?(livez|readyz|healthz|health|ping|ready|metrics|docs|docs\.json|openapi\.json)?$|\/(ready|live)$/;
const isAsked = (path: string | undefined) => path !== undefined && !besides.test(path);

/** By the names of the presets. Names of metrics: MLServer 1.7, Triton 2.x, BentoML 1.4, prometheus-fastapi-instrumentator 7, TensorFlow Serving 2.x. */
const known: Readonly<Record<string, ServerCounters>> = {
  mlserver: byStatus({
    requests: "rest_server_requests_total",
    latency: "rest_server_request_duration_seconds_bucket",
    status: "status_code",
    isInference: ({ path = "" }) => /\/infer(_stream)?$|\/generate(_stream)?$/.test(path),
  }),
  bentoml: byStatus({
    requests: "bentoml_service_request_total",
    latency: "bentoml_service_request_duration_seconds_bucket",
    status: "http_response_code",
    isInference: ({ endpoint }) => isAsked(endpoint),
  }),
  fastapi: byStatus({
    requests: "http_requests_total",
    latency: "http_request_duration_seconds_bucket",
    status: "status",
    isInference: ({ handler }) => isAsked(handler),
  }),
  triton: succeededAndFailed("nv_inference_request_success", "nv_inference_request_failure"),
  "tensorflow-serving": {
    metrics: [":tensorflow:serving:request_count"],
    isOf: (samples) => samples.length > 0,
    count: (samples) => ({
      requests: sum(samples),
      errors: sum(samples.filter(({ labels }) => labels.status !== "OK")),
      latencies: { bounds: [], counts: [] },
    }),
  },
};

/** Triton's own shape: two counters; a request that its client gave up is nobody's failure. */
function succeededAndFailed(success: string, failure: string): ServerCounters {
  return {
    metrics: [success, failure],
    isOf: (samples) => samples.some(({ name }) => name === success),
    count(samples) {
      const errors = sum(
        samples.filter(({ name, labels }) => name === failure && labels.reason !== "CANCELED"),
      );
      return {
        requests: sum(samples.filter(({ name }) => name === success)) + errors,
        errors,
        latencies: { bounds: [], counts: [] },
      };
    },
  };
}

/** How a preset's server counts; `undefined`: that is not known. */
export function serverCountersOf(server: string): ServerCounters | undefined {
  return Object.hasOwn(known, server) ? known[server] : undefined;
}
