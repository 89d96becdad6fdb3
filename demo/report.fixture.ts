import type { LatencySummary } from "./histogram.ts";
import type { DemoReport } from "./report.ts";

/** A report for tests: half a run on blue, half on green. */
export function exampleReport(
  options: { readonly seconds?: number; readonly failed?: number; readonly reason?: string } = {},
): DemoReport {
  const { seconds = 20, failed = 0, reason = "503 no endpoints" } = options;
  const bucketMs = 100;
  const count = seconds * 10;
  const latency: LatencySummary = { count: count * 5, p50: 3.2, p95: 9, p99: 20, maximum: 41, mean: 4 };
  const buckets = Array.from({ length: count }, (_, index) => ({
    answers: { [index < count / 2 ? "v1" : "v2"]: 10 },
    failed: index === 5 ? failed : 0,
    maximumLatencyMs: 4 + (index % 7),
  }));
  const slot = (version: string, about: string) => ({
    version,
    image: `localhost/m:${version}`,
    about,
    replicas: 2,
  });
  return {
    schemaVersion: 1,
    createdAt: "2026-01-02T03:04:05.000Z",
    flavour: "mlserver",
    title: "handwritten digits",
    model: "digits",
    host: "mlmodels.example.com",
    ingressUrl: "http://127.0.0.1:8080",
    path: "/v2/models/digits/infer",
    kubernetesVersion: "v1.36.3",
    cluster: "demo",
    machine: { processors: 2, memoryBytes: 8e9 },
    slots: { blue: slot("v1", "logistic regression"), green: slot("v2", "support vectors") },
    calibration: { throughput: 330, ratePerSecond: 100 },
    load: {
      startedAt: 0,
      durationMs: seconds * 1000,
      ratePerSecond: 100,
      requests: count * 10 + failed,
      succeeded: count * 10,
      failed,
      unfinished: 0,
      freshConnections: count,
      failuresByKind: failed > 0 ? { status: failed } : {},
      failures: Array.from({ length: Math.min(50, failed) }, () => ({
        intendedAtMs: 500,
        sentAtMs: 501,
        failedAtMs: 510,
        kind: "status" as const,
        reason,
        freshConnection: false,
        path: "/v2/models/m/infer",
      })),
      latency: { ...latency, count: count * 10 },
      versions: { v1: { answers: count * 5, latency }, v2: { answers: count * 5, latency } },
      sendDelay: latency,
      timeline: { bucketMs, buckets },
    },
    switches: [
      {
        from: "blue",
        to: "green",
        startedAtMs: seconds * 400,
        endedAtMs: seconds * 600,
        readyMs: 100,
        identityMs: 50,
        writeMs: 1500,
        proofMs: 300,
        probes: 90,
        totalMs: 2100,
        movedAtMs: seconds * 500,
        overlapMs: 0,
        steps: [{ title: "Shift", detail: "30 answers", fromMs: seconds * 400, toMs: seconds * 500 }],
      },
    ],
  };
}
