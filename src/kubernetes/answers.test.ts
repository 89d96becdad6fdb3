import { beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../core/clock.ts";
import { interrupted, UserError } from "../core/errors.ts";
import type { Event } from "../core/events.ts";
import { Answers } from "./answers.ts";
import { type KubernetesApi, KubernetesApiError } from "./api.ts";

/** Time that passes when the test says so, and wakes whoever has slept enough. */
class ManualClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(interrupted("A wait"));
      });
    });
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await settled();
  }

  get sleepers(): number {
    return this.#sleepers.size;
  }
}

/** Lets everything that waits for a promise run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let said: Event[];
let answers: Answers;
/** Requests that wait for their answer, oldest first. */
let waiting: {
  readonly answer: (status?: number) => Promise<unknown>;
  readonly fail: (error: Error) => Promise<unknown>;
}[];
let api: KubernetesApi;

beforeEach(() => {
  clock = new ManualClock();
  said = [];
  waiting = [];
  answers = new Answers({ server: "https://k:6443", clock, events: (event) => said.push(event) });
  const pending = <T>(value: (status: number) => T): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push({
        answer: (status = 200) => {
          resolve(value(status));
          return settled();
        },
        fail: (error) => {
          reject(error);
          return settled();
        },
      });
    });
  api = answers.watching({
    server: "https://k:6443",
    request: () => pending((status) => ({ status, headers: {}, body: "" })),
    json: <T>() => pending(() => ({}) as T),
    find: <T>() => pending((): T | undefined => undefined),
    watch: async function* () {},
  });
});

/** Asks for something whose outcome is of no interest. */
function ask(path = "/api/v1/namespaces/ml/configmaps/fraud"): void {
  api.find(path).catch(() => undefined);
}

async function answer(index: number): Promise<void> {
  await waiting[index]?.answer();
}

async function fail(index: number, error: Error): Promise<void> {
  await waiting[index]?.fail(error);
}

const unreachable = new UserError({ code: "cluster-unreachable", message: "No answer came." });
const away = {
  type: "warning",
  code: "cluster-away",
  message:
    "The API server at https://k:6443 has not answered for 5 s, and is waited for; clients are served without it.",
};
const back = (durationMs: number, text: string) => ({
  type: "info",
  code: "cluster-back",
  message: `The API server answers again, after ${text}.`,
  durationMs,
});

describe("an API server that hangs", () => {
  test("is told of after five seconds, once, and again when it answers", async () => {
    ask();
    await clock.pass(4_999);
    expect(said).toEqual([]);
    await clock.pass(1);
    expect(said).toEqual([away]);
    ask();
    await clock.pass(25_000);
    await fail(0, unreachable);
    ask();
    await clock.pass(5_000);
    await answer(1);
    expect(said).toEqual([away, back(35_000, "35 s")]);
    await answer(2);
    ask();
    await clock.pass(4_000);
    await answer(3);
    expect(said).toHaveLength(2);
    expect(clock.sleepers).toBe(0);
  });

  test("a second time is told of as the first one was", async () => {
    ask();
    ask();
    await clock.pass(6_000);
    await answer(0);
    await clock.pass(5_000);
    await answer(1);
    expect(said).toEqual([away, back(6_000, "6.0 s"), away, back(5_000, "5.0 s")]);
  });

  test("of which only requests with a short deadline tell, is told of", async () => {
    ask();
    await clock.pass(3_000);
    await fail(0, unreachable);
    ask();
    await clock.pass(5_000);
    await fail(1, unreachable);
    expect(said).toEqual([away]);
    await clock.pass(1_000);
    ask();
    await answer(2);
    expect(said).toEqual([away, back(6_000, "6.0 s")]);
  });
});

describe("nothing is told", () => {
  test("of one request that gets no answer while others do", async () => {
    ask();
    for (let index = 1; index < 10; index++) {
      await clock.pass(1_000);
      ask();
      await answer(index);
    }
    expect(said).toEqual([]);
    await clock.pass(5_000);
    expect(said).toEqual([away]);
  });

  test("of a refusal, which is an answer, or of an interruption, which is none", async () => {
    ask();
    await clock.pass(4_000);
    await fail(0, new KubernetesApiError(403, "Forbidden", "no"));
    ask();
    await clock.pass(4_000);
    await fail(1, interrupted("A request to the API server"));
    await clock.pass(60_000);
    ask();
    await clock.pass(4_000);
    await answer(2);
    expect(said).toEqual([]);
  });

  test("of a pod that takes its time, or is not there, behind an API server that answers", async () => {
    ask("/api/v1/namespaces/ml/pods/fraud-blue-0:8080/proxy/metrics");
    await clock.pass(60_000);
    await fail(0, unreachable);
    expect(said).toEqual([]);
  });
});

test("answers that say nothing but that it cannot serve do not end its absence", async () => {
  const request = { method: "GET", path: "/api" } as const;
  answers.away("The rollout waits.");
  answers.away("The rollout still waits.");
  await clock.pass(1_000);
  void api.request(request);
  await waiting[0]?.answer(503);
  void api.json(request).catch(() => undefined);
  await fail(1, new KubernetesApiError(500, "InternalError", "etcdserver: request timed out"));
  await clock.pass(1_000);
  expect(said).toEqual([{ type: "warning", code: "cluster-away", message: "The rollout waits." }]);
  void api.request(request);
  await waiting[2]?.answer(404);
  expect(said.slice(1)).toEqual([back(2_000, "2.0 s")]);
});

test("people are told where they were looked for last", async () => {
  const elsewhere: Event[] = [];
  answers.tellTo((event) => elsewhere.push(event));
  answers.away("The rollout waits.");
  expect([said.length, elsewhere.length]).toEqual([0, 1]);
});
