import { expect, test } from "vitest";
import { FakeClock, FakeCluster } from "../../test/support/rollout-bench.ts";
import { askingAgain } from "./retry-after.ts";

/** An API server that is busy so many times. */
function busy(
  times: number,
  status: number,
  headers: Readonly<Record<string, string>>,
  clock = new FakeClock(),
) {
  const cluster = new FakeCluster();
  cluster.put("/api/v1/namespaces/ml/configmaps/a", { data: { a: "b" } });
  let left = times;
  cluster.intercept = () => {
    left -= 1;
    return left < 0 ? undefined : { status, headers, body: "busy" };
  };
  return { api: askingAgain(cluster, clock), cluster, clock };
}

const path = "/api/v1/namespaces/ml/configmaps/a";

test.each([
  [429, "2", 6_000],
  [503, "0", 300],
  [500, "60", 30_000],
])("HTTP %i with Retry-After %s is asked again after that", async (status, wait, tookMs) => {
  const { api, cluster, clock } = busy(3, status, { "retry-after": wait });
  const startedAt = clock.now();
  expect(await api.find(path)).toMatchObject({ data: { a: "b" } });
  expect(cluster.requests).toHaveLength(4);
  expect(clock.now() - startedAt).toBe(tookMs);
});

test.each([
  [429, {}],
  [503, {}],
  [409, { "retry-after": "1" }],
])("HTTP %i with %j is an answer", async (status, headers) => {
  const { api, cluster } = busy(1, status, headers);
  await expect(api.json({ method: "GET", path })).rejects.toMatchObject({ status });
  expect(cluster.requests).toHaveLength(1);
});

test("what a pod answers is its own", async () => {
  const { api, cluster } = busy(5, 429, { "retry-after": "1" });
  const answer = await api.request({ method: "GET", path: "/api/v1/namespaces/ml/pods/a:80/proxy/x" });
  expect(answer.status).toBe(429);
  expect(cluster.requests).toHaveLength(1);
});

test("it is not asked for ever, and a stop ends the wait", async () => {
  const { api, cluster } = busy(100, 429, { "retry-after": "1" });
  await expect(api.json({ method: "GET", path })).rejects.toMatchObject({ status: 429 });
  expect(cluster.requests).toHaveLength(10);
  const stop = new AbortController();
  cluster.intercept = () => {
    stop.abort();
    return { status: 429, headers: { "retry-after": "1" }, body: "" };
  };
  await expect(api.find(path, { signal: stop.signal })).rejects.toMatchObject({ code: "interrupted" });
});
