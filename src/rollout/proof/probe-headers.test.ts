import { describe, expect, test } from "vitest";
import { FakeCluster, refusal } from "../../../test/support/rollout-bench.ts";
import type { HeaderSource } from "../../config/model/types.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { onceRead, probeWith, readProbeHeaders } from "./probe-headers.ts";
import type { ProbeRequest } from "./probe-request.ts";

const secretPath = "/api/v1/namespaces/ml/secrets/gateway";
const base64 = (text: string) => Buffer.from(text).toString("base64");

function read(sources: Readonly<Record<string, HeaderSource>>, cluster = new FakeCluster()) {
  const env = { TOKEN: "Bearer a-token\n", EMPTY: "", BROKEN: "two\nlines", WIDE: "schlüssel-🔑" };
  return readProbeHeaders({
    sources,
    api: cluster,
    namespace: "ml",
    env,
    signal: new AbortController().signal,
  });
}

function withSecret(data: Readonly<Record<string, string>>): FakeCluster {
  const cluster = new FakeCluster();
  cluster.put(secretPath, { data });
  return cluster;
}

describe("headers of a proof", () => {
  test("come from the configuration, the environment and Secrets, without the line break at their end", async () => {
    const sources = {
      "X-Client": "modelswitch",
      Authorization: { env: "TOKEN" },
      "X-Key": { secret: "gateway", key: "key" },
    };
    expect(await read(sources, withSecret({ key: base64("s3cr3t-key\n") }))).toEqual({
      "X-Client": "modelswitch",
      Authorization: "Bearer a-token",
      "X-Key": "s3cr3t-key",
    });
  });

  test("without any, nothing is asked", async () => {
    const cluster = new FakeCluster();
    expect(await read({}, cluster)).toEqual({});
    expect(cluster.requests).toEqual([]);
  });

  test.each<[HeaderSource, RegExp]>([
    [{ env: "NONE" }, /header Authorization .* variable NONE is not set/],
    [{ env: "EMPTY" }, /EMPTY is not set/],
    [{ env: "BROKEN" }, /characters that no header may have/],
    [{ env: "WIDE" }, /characters that no header may have/],
    [{ secret: "other", key: "key" }, /no Secret other in the namespace ml/],
    [{ secret: "gateway", key: "token" }, /has no key token/],
    [{ secret: "gateway", key: "empty" }, /its value is empty/],
  ])("%j cannot be sent: said, with nothing of the value", async (source, message) => {
    const cluster = withSecret({ key: base64("s3cr3t-key"), empty: "" });
    const error = await read({ Authorization: source }, cluster).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "probe-header-unusable",
      exitCode: 2,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
    expect(JSON.stringify(error)).not.toMatch(/two|schl|s3cr3t/);
  });

  test("an account that may not read the Secret is told which permission it lacks", async () => {
    const cluster = new FakeCluster();
    const words = `secrets "gateway" is forbidden: User "ci" cannot get resource "secrets" in API group "" in the namespace "ml"`;
    cluster.intercept = () => refusal(403, "Forbidden", words);
    await expect(read({ A: { secret: "gateway", key: "k" } }, cluster)).rejects.toMatchObject({
      code: "permission-denied",
      message: expect.stringContaining("secrets"),
    });
  });
});

describe("a probe with headers", () => {
  const endpoint: Endpoint = { protocol: "http", address: "192.0.2.1", port: 80, url: "http://192.0.2.1" };
  const request = (headers: Readonly<Record<string, string>>): ProbeRequest => ({
    endpoint,
    host: "h",
    path: "/",
    headers,
    timeoutMs: 1,
    signal: new AbortController().signal,
  });
  const echo = (asked: ProbeRequest) =>
    Promise.resolve({
      status: 200,
      headers: { "x-seen": JSON.stringify(asked.headers) },
      body: `${asked.headers.Authorization}`,
    });

  test("sends them beside those of the request, which win", async () => {
    const sent: unknown[] = [];
    const probe = probeWith(
      (asked) => {
        sent.push(asked.headers);
        return echo(asked);
      },
      () => Promise.resolve({ "X-A": "1", "X-B": "2" }),
      [],
    );
    await probe(request({ "x-b": "own" }));
    expect(sent).toEqual([{ "X-A": "1", "x-b": "own" }]);
  });

  test("an answer that says a credential again does so without it", async () => {
    const probe = probeWith(
      echo,
      () => Promise.resolve({ Authorization: "Bearer a-token-of-mine", X: "1" }),
      ["Authorization"],
    );
    const answer = await probe(request({}));
    expect(JSON.stringify(answer)).not.toContain("a-token-of-mine");
    expect(answer.body).toBe("[hidden]");
    expect(answer.headers["x-seen"]).toContain('"X":"1"');
  });
});

test("what was read is read once; what failed again, after a while", async () => {
  let [now, reads] = [0, 0];
  const value = onceRead(
    () => {
      reads += 1;
      return reads < 3 ? Promise.reject(new Error(`no ${reads}`)) : Promise.resolve(reads);
    },
    () => now,
  );
  await expect(value()).rejects.toThrow("no 1");
  await expect(value()).rejects.toThrow("no 1");
  now = 2_000;
  await expect(value()).rejects.toThrow("no 2");
  now = 4_000;
  expect(await value()).toBe(3);
  now = 60_000;
  expect(await value()).toBe(3);
});
