import { expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import { release, resume } from "../commands/release.ts";
import { up } from "../commands/up.ts";
import { isOutage } from "./api-outage.ts";

const server = "https://cluster.test:6443";
const failure = (code: string, message: string) => new UserError({ code, message, exitCode: 1 });

const webhookDown =
  'Internal error occurred: failed calling webhook "validate.acme.io": failed to call webhook: Post "https://10.96.7.7:443/v?timeout=10s": dial tcp 10.96.7.7:443: connect: connection refused';

test.each([
  [failure("cluster-unreachable", "The Kubernetes API server at x cannot be reached"), true],
  [new KubernetesApiError(503, "ServiceUnavailable", "not ready"), true],
  [new KubernetesApiError(500, "InternalError", "etcdserver: leader changed"), true],
  [new KubernetesApiError(429, "TooManyRequests", "try again later"), true],
  [new KubernetesApiError(500, "InternalError", "etcdserver: request timed out"), true],
  [new KubernetesApiError(403, "Forbidden", "no"), false],
  [new KubernetesApiError(500, "InternalError", webhookDown), false],
  [new KubernetesApiError(500, "", 'admission webhook "a.b" denied the request: no'), false],
  [failure("deployment-failed", `Ingress fraud: ${webhookDown}`), false],
  [
    failure(
      "deployment-failed",
      `Ingress fraud: ${webhookDown.replace("10.96.7.7:443", "cluster.test:6443")}`,
    ),
    false,
  ],
  [
    failure(
      "deployment-failed",
      `Deployment fraud-green: The Kubernetes API server at ${server} cannot be reached: ECONNREFUSED`,
    ),
    true,
  ],
  [failure("deployment-failed", `Get "${server}/api": dial tcp: connect: connection refused`), true],
  [failure("deployment-failed", "image registry.test/fraud:2: dial tcp: connect: connection refused"), false],
  [failure("hook-failed", "dial tcp: connect: connection refused"), false],
  [new Error("a defect"), false],
])("%s: an outage? %s", (error, expected) => {
  expect(isOutage(error, server)).toBe(expected);
});

const config = templateConfig({ drain: 5, steps: "25%:1s" });
const next = { template: { image: "fraud:2", replicas: 2 } };

/** The API server, and what Pulumi does with it, fails for a while from its nth request on. Returns how many there were. */
function awayFrom(bench: TestBench, nth: number, forMs: number): () => number {
  let requests = 0;
  let until: number | undefined;
  const maybeFail = (error: () => Error) => {
    requests += 1;
    if (requests === nth) until = bench.clock.now() + forMs;
    if (until !== undefined && bench.clock.now() < until) throw error();
  };
  const { intercept } = bench.cluster;
  bench.cluster.intercept = (request) => {
    maybeFail(() => failure("cluster-unreachable", "The Kubernetes API server cannot be reached"));
    return intercept?.(request);
  };
  const ofPulumi = () =>
    maybeFail(() =>
      failure("deployment-failed", "The Kubernetes API server at x cannot be reached: refused"),
    );
  bench.stack.beforeUp = ofPulumi;
  bench.stack.afterUp = ofPulumi;
  return () => requests;
}

test("away for 20 s from any request on: the release waits and goes live, and is never taken back", async () => {
  let last = false;
  for (let nth = 1; !last; nth += 7) {
    const bench = testBench();
    await up(bench.context(config), noFlags);
    const requests = awayFrom(bench, nth, 20_000);
    let end: unknown;
    try {
      end = await release(bench.context(config), next);
    } catch (error) {
      // Before the rollout began there is nothing to wait with; what was begun is taken up.
      expect(error).toMatchObject({ code: "cluster-unreachable" });
      bench.clock.pass(30_000);
      end = (await resume(bench.context(config), "resume")) ?? (await release(bench.context(config), next));
    }
    last = requests() < nth;
    // Whoever is told that it is away is told when it is back.
    const told = bench.events.flatMap((event) =>
      "code" in event && event.code?.startsWith("cluster-") ? [event.code] : [],
    );
    const pairs = Array.from({ length: told.length / 2 }, () => ["cluster-away", "cluster-back"]);
    expect(told, `away from request ${nth} on`).toEqual(pairs.flat());
    bench.cluster.intercept = undefined;
    expect(end, `away from request ${nth} on`).toMatchObject({
      kind: "live",
      state: { direction: "forward" },
    });
    expect(await splitNow(bench.context(config))).toEqual({ blue: 0, green: 100 });
  }
}, 120_000);

test("away for longer than pods may take to get ready: it gives up, and `resume` goes on", async () => {
  const bench = testBench();
  await up(bench.context(config), noFlags);
  // After the rollout has begun.
  awayFrom(bench, 140, config.deadlines.readyMs + 60_000);
  await expect(release(bench.context(config), next)).rejects.toMatchObject({ code: "cluster-unreachable" });
  bench.clock.pass(config.deadlines.readyMs + 60_000);
  expect(await resume(bench.context(config), "resume")).toMatchObject({ kind: "live" });
});

test("away right after a share was written, of which the ingress hears too late: it is proved afterwards, not given up", async () => {
  const bench = testBench();
  await up(bench.context(config), noFlags);
  let until: number | undefined;
  const isAway = () => until !== undefined && bench.clock.now() < until;
  const { intercept } = bench.cluster;
  bench.cluster.intercept = (request) => {
    if (isAway()) throw failure("cluster-unreachable", "The Kubernetes API server cannot be reached");
    return intercept?.(request);
  };
  const { answer } = bench;
  bench.answer = (header, host) => {
    const declared = answer(header, host);
    if (header === undefined && declared.body.endsWith("green"))
      until ??= bench.clock.now() + 2 * config.deadlines.proofMs;
    return header === undefined && isAway() ? { status: 200, body: "version of blue" } : declared;
  };
  expect(await release(bench.context(config), next)).toMatchObject({
    kind: "live",
    state: { direction: "forward" },
  });
  expect(bench.events).toContainEqual(expect.objectContaining({ code: "cluster-away" }));
  const back = bench.events.find((event) => event.type === "info" && event.code === "cluster-back");
  expect(back).toMatchObject({ durationMs: expect.toSatisfy((ms: number) => ms > 0 && ms < 60_000) });
  const { journal = [] } = (await bench.context(config).store.read())?.rollout ?? {};
  const noted = journal.filter(({ kind }) => kind === "warning").map(({ text }) => text);
  expect(noted).toEqual([
    expect.stringContaining("waits for the API server"),
    expect.stringMatching(/answers again, after \d/),
  ]);
  expect(await splitNow(bench.context(config))).toEqual({ blue: 0, green: 100 });
});

test("told while a step waited for it, and over when the step fails of it: it is not told once more, and the step is done again", async () => {
  const bench = testBench();
  await up(bench.context(config), noFlags);
  const { answers, api } = bench.context(config);
  let hasFailed = false;
  bench.stack.beforeUp = async ({ spec }) => {
    if (hasFailed || spec.slots.green.release !== 2) return;
    hasFailed = true;
    answers.away("The API server has not answered for 5 s.");
    bench.clock.pass(30_000);
    await api.find("/api/v1/namespaces/ml");
    throw failure("deployment-failed", "The Kubernetes API server at x cannot be reached: no answer");
  };
  expect(await release(bench.context(config), next)).toMatchObject({
    kind: "live",
    state: { direction: "forward" },
  });
  expect(hasFailed).toBe(true);
  const told = bench.events.flatMap((event) =>
    "code" in event && event.code?.startsWith("cluster-") ? [event] : [],
  );
  expect(told).toMatchObject([{ code: "cluster-away" }, { code: "cluster-back", durationMs: 30_000 }]);
});
