import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import { systemClock } from "../../core/clock.ts";
import { settledOn } from "../../core/routing.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { probe } from "./probe.ts";
import type { Probe } from "./probe-request.ts";
import { viewsOf } from "./proof.ts";
import { type ProveOptions, prove } from "./prove.ts";

const identities = { blue: "1", green: "2" };
const nowhere: Endpoint = { protocol: "http", address: "192.0.2.1", port: 80, url: "http://192.0.2.1:80" };

function options(changes: Partial<ProveOptions> = {}): ProveOptions {
  return {
    endpoints: [nowhere],
    views: viewsOf(settledOn("blue"), identities, nginx.force),
    identities,
    identity: { path: "/version", from: { kind: "body" } },
    ingress: { host: "fraud.test" },
    previewHeader: "X-Preview",
    deadlineMs: 10_000,
    probe,
    clock: systemClock,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...changes,
  };
}

type Answers = (request: IncomingMessage, response: ServerResponse) => void;

let gateway: Server | undefined;
afterEach(async () => {
  gateway?.closeAllConnections();
  await new Promise<void>((resolve) => (gateway === undefined ? resolve() : gateway.close(() => resolve())));
  gateway = undefined;
});

/** Something in front of the model, on this machine. */
async function gatewayThat(answers: Answers): Promise<Endpoint> {
  const server = createServer(answers);
  gateway = server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { protocol: "http", address: "127.0.0.1", port, url: `http://127.0.0.1:${port}` };
}

const model: Answers = (request, response) =>
  response.end(request.headers["x-preview"] === "always" ? "2" : "1");

describe("a gateway that limits requests", () => {
  /** So many requests a second, after a burst; and how many it refused, one upon the other. */
  function limiting(perSecond: number, burst: number, refuse: (response: ServerResponse) => void) {
    let [tokens, at] = [burst, Date.now()];
    const seen = { together: 0, most: 0, refused: 0, answered: 0 };
    const answers: Answers = (request, response) => {
      const now = Date.now();
      tokens = Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
      at = now;
      if (tokens < 1) {
        seen.refused += 1;
        refuse(response);
        return;
      }
      tokens -= 1;
      seen.answered += 1;
      model(request, response);
    };
    return { answers, seen };
  }

  test.each([
    ["429", (response: ServerResponse) => response.writeHead(429).end(), {}],
    [
      "503 and Retry-After",
      (response: ServerResponse) => response.writeHead(503, { "retry-after": "0" }).end(),
      {},
    ],
    [
      "503, as limit-rps of ingress-nginx",
      (response: ServerResponse) => response.writeHead(503).end(),
      { "nginx.ingress.kubernetes.io/limit-rps": "20" },
    ],
  ])("with %s is asked more slowly until it is proved", async (_, refuse, annotations) => {
    const { answers, seen } = limiting(20, 5, refuse);
    const verdict = await prove(
      options({
        endpoints: [await gatewayThat(answers)],
        ingress: { host: "fraud.test", annotations },
        deadlineMs: 60_000,
      }),
    );
    expect(verdict.state).toBe("proved");
    expect(seen.answered).toBe(30);
    expect(seen.refused).toBeGreaterThan(0);
    // Most of what it sent was answered: it did not use up the limit by asking again at once.
    expect(seen.refused).toBeLessThan(20);
    const [clients] = verdict.evidence.lanes;
    expect(clients?.unexpected).toEqual({});
  });

  test("a wrong slot is seen behind it all the same", async () => {
    const { answers } = limiting(50, 5, (response) => response.writeHead(429).end());
    const endpoint = await gatewayThat((request, response) => {
      delete request.headers["x-preview"];
      answers(request, response);
    });
    const verdict = await prove(options({ endpoints: [endpoint], deadlineMs: 3_000 }));
    expect(verdict).toMatchObject({
      state: "open",
      missing: expect.arrayContaining([expect.stringContaining("green expected, seen")]),
    });
  });
});

describe("on a clock of its own", () => {
  const always =
    (status: number, headers: Readonly<Record<string, string>> = {}): Probe =>
    () =>
      Promise.resolve({ status, headers, body: "" });
  const proof = async (ask: Probe, changes: Partial<ProveOptions> = {}) => {
    const clock = new FakeClock();
    const startedAt = clock.now();
    let asked = 0;
    const verdict = await prove(
      options({
        clock,
        deadlineMs: 60_000,
        probe: (request) => {
          asked += 1;
          clock.pass(1);
          return ask(request);
        },
        ...changes,
      }),
    );
    return { verdict, asked, tookMs: clock.now() - startedAt };
  };

  test("a limit that never ends is met ever more seldom, and ends with what to do", async () => {
    const { verdict, asked, tookMs } = await proof(always(429));
    expect(asked).toBeLessThan(25);
    expect(tookMs).toBeLessThanOrEqual(60_000);
    expect(verdict).toMatchObject({
      state: "open",
      missing: expect.arrayContaining([
        expect.stringMatching(/0 answers seen so far; not answered, .* HTTP 429/),
      ]),
      advice: [expect.stringContaining("limit-whitelist")],
    });
  });

  test("a wait that is longer than the time there is, is not waited for", async () => {
    const { verdict, asked, tookMs } = await proof(always(429, { "retry-after": "3600" }));
    expect(verdict.state).toBe("open");
    // What was under way at the same time.
    expect(asked).toBeLessThanOrEqual(8);
    expect(tookMs).toBeLessThan(1_000);
  });

  test("a wait that fits is kept to", async () => {
    let limited = 0;
    const { verdict, tookMs } = await proof((request) => {
      if (limited < 3) {
        limited += 1;
        return always(503, { "retry-after": "20" })(request);
      }
      return Promise.resolve({
        status: 200,
        headers: {},
        body: request.headers["X-Preview"] === "always" ? "2" : "1",
      });
    });
    expect(verdict.state).toBe("proved");
    expect(tookMs).toBeGreaterThanOrEqual(20_000);
  });

  test.each([
    [401, { "www-authenticate": "Basic" }, "ingress.probe.headers"],
    [403, {}, "whitelist-source-range"],
    [308, { location: "https://fraud.test/version" }, "https://ADDRESS"],
    [302, { location: "https://login.corp/" }, "A login stands in front"],
  ])(
    "HTTP %i, which waiting does not change, is not waited for until the deadline",
    async (status, headers, advice) => {
      const { verdict, tookMs } = await proof(always(status, headers));
      expect(verdict).toMatchObject({ state: "open", advice: [expect.stringContaining(advice)] });
      expect(tookMs).toBeGreaterThanOrEqual(10_000);
      expect(tookMs).toBeLessThan(20_000);
    },
  );

  test("HTTP 404, which a controller also answers that is late, is", async () => {
    const { verdict, tookMs } = await proof(always(404));
    expect(verdict).toMatchObject({ state: "open", advice: [] });
    expect(tookMs).toBeGreaterThanOrEqual(60_000);
  });

  test("many hosts, addresses and views are not asked all at once", async () => {
    let [now, most] = [0, 0];
    const hosts = Array.from({ length: 30 }, (_, index) => ({ host: `h${index}.test` }));
    const { verdict } = await proof(
      async (request) => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return { status: 200, headers: {}, body: request.headers["X-Preview"] === "always" ? "2" : "1" };
      },
      { ingress: { host: "fraud.test", also: hosts } },
    );
    expect(verdict.state).toBe("proved");
    expect(most).toBeLessThanOrEqual(8);
  });

  test("an identity that no request reaches is an open proof: what it is about has been written already", async () => {
    const { verdict, asked } = await proof(always(200), { ingress: { host: "fraud.test", path: "/x" } });
    expect(asked).toBe(0);
    expect(verdict).toMatchObject({
      state: "open",
      missing: [expect.stringContaining("only sends paths under /x of fraud.test")],
      advice: [expect.stringContaining("ingressPath")],
    });
  });

  test("a page is no mark, unless it is one that the pods show", async () => {
    const page = "<html>1</html>";
    const answer: Probe = () => Promise.resolve({ status: 200, headers: {}, body: page });
    expect((await proof(answer)).verdict).toMatchObject({
      missing: expect.arrayContaining([expect.stringContaining("HTTP 200, a page (HTML)")]),
    });
    const known = { blue: page };
    const views = viewsOf(settledOn("blue"), known, nginx.force);
    expect((await proof(answer, { identities: known, views })).verdict.state).toBe("proved");
  });
});

describe("a load balancer of many machines, which follow one after the other", () => {
  /** Blue is wanted; so long after the start one of the machines still sends to green. */
  function lagging(untilMs: number, changes: Partial<ProveOptions> = {}) {
    const clock = new FakeClock();
    const startedAt = clock.now();
    let asked = 0;
    const behind: Probe = () => {
      asked += 1;
      const isOld = clock.now() - startedAt < untilMs && asked % 40 === 0;
      return Promise.resolve({ status: 200, headers: {}, body: isOld ? "2" : "1" });
    };
    const views = viewsOf(settledOn("blue"), { blue: "1" }, () => undefined);
    const run = { ...options({ views, clock, probe: behind, deadlineMs: 180_000, ...changes }) };
    return { run, seconds: () => (clock.now() - startedAt) / 1000 };
  }

  test("is watched until nothing unexpected has come for a while", async () => {
    const { run, seconds } = lagging(20_000, { watchMs: 15_000 });
    const verdict = await prove(run);
    expect(verdict.state).toBe("proved");
    expect(Object.keys(verdict.evidence.lanes[0]?.unexpected ?? {})).toHaveLength(1);
    expect(seconds()).toBeGreaterThan(25);
    // Without it the first ten answers were enough.
    const hasty = lagging(20_000);
    expect((await prove(hasty.run)).state).toBe("proved");
    expect(hasty.seconds()).toBeLessThan(1);
  });

  test("that is never of one mind is not proved", async () => {
    const { run, seconds } = lagging(Number.POSITIVE_INFINITY, { watchMs: 15_000 });
    expect(await prove(run)).toMatchObject({
      state: "open",
      missing: [expect.stringMatching(/15 s|expected/)],
    });
    expect(seconds()).toBeGreaterThanOrEqual(180);
  });
});
