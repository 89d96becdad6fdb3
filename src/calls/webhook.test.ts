import { describe, expect, test } from "vitest";
import { isGenuine, receiver } from "../../test/support/receiver.ts";
import type { Hook, WebhookCall } from "../core/calls.ts";
import { ask, runHook } from "./ask.ts";
import { callIo, hurried, subject } from "./calls.fixture.ts";
import { sender } from "./send.ts";
import { secretProblem, signedHeaders } from "./signature.ts";

const secret = `whsec_${Buffer.from("a key of more than 24 bytes").toString("base64")}`;
const never = new AbortController().signal;

const hookTo = (url: string, more: Partial<WebhookCall> = {}): Hook => ({
  name: "tell",
  when: "after",
  phase: "cut-over",
  onFailure: "abort",
  call: { kind: "webhook", url, secretEnv: undefined, timeoutMs: 20_000, retries: 0, ...more },
});

describe("a webhook", () => {
  test("is signed so that a receiver who knows the key can tell", async () => {
    const { url, received } = await receiver({ status: 204 });
    const io = callIo({ env: { KEY: secret } });
    const said = await runHook(io, hookTo(url, { secretEnv: "KEY" }), subject, never);
    expect(said.verdict).toBe("pass");
    const [message] = received;
    if (message === undefined) throw new Error("Nothing came.");
    expect(message.headers["content-type"]).toBe("application/json");
    expect(isGenuine(message, secret, Date.now())).toBe(true);
    expect(isGenuine({ ...message, body: `${message.body} ` }, secret, Date.now())).toBe(false);
    expect(isGenuine(message, `whsec_${Buffer.from("another key").toString("base64")}`, Date.now())).toBe(
      false,
    );
    expect(isGenuine(message, secret, Date.now() + 3_600_000)).toBe(false);
    expect(JSON.parse(message.body)).toMatchObject({
      type: "modelswitch.hook",
      id: message.headers["webhook-id"],
      name: "tell",
      when: "after",
    });
  });

  test("has the signature of the specification's own example", () => {
    const message = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      at: 1_614_265_330_000,
      body: '{"test": 2432232314}',
    };
    expect(signedHeaders(message, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).toEqual({
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test.each<[number, string, string]>([
    [200, "pass", ""],
    [204, "pass", ""],
    [400, "fail", ""],
    [403, "fail", ""],
    [404, "fail", ""],
    [302, "inconclusive", "redirects are not followed"],
    [429, "inconclusive", ""],
    [500, "inconclusive", ""],
    [503, "inconclusive", ""],
  ])("that is answered HTTP %i says %s", async (status, verdict, words) => {
    const { url } = await receiver({ status, headers: { location: "http://127.0.0.1:9/" } });
    const said = await runHook(callIo(), hookTo(url), subject, never);
    expect(said.verdict).toBe(verdict);
    expect(said.evidence).toContain(`HTTP ${status}`);
    expect(said.evidence).toContain(words);
  });

  test.each([
    ['{"verdict":"fail","evidence":"error rate 3 %"}', "fail", "error rate 3 %"],
    ['{"verdict":"hold","evidence":"12 of 100 samples"}', "hold", "12 of 100 samples"],
    ['{"verdict":"inconclusive"}', "inconclusive", "HTTP 200"],
    ['{"verdict":"ok"}', "inconclusive", 'the verdict "ok", which is none of pass, fail, inconclusive, hold'],
    ['{"ready":true}', "pass", "HTTP 200"],
    ["fine\nindeed", "pass", "HTTP 200: fine"],
  ])("that is answered %s says %s", async (body, verdict, evidence) => {
    const { url } = await receiver({ status: 200, body });
    const said = await runHook(callIo(), hookTo(url), subject, never);
    expect(said.verdict).toBe(verdict);
    expect(said.evidence).toContain(evidence);
  });

  test("is tried again after 5xx, a cut connection and a time-out, as the same message at another time", async () => {
    const { url, received } = await receiver({ status: 503 }, "cut", { status: 200 });
    const clock = hurried();
    const send = sender({});
    let sent = 0;
    const io = callIo({
      clock,
      env: { KEY: secret },
      // The second one is late.
      send: (request) => (++sent === 2 ? Promise.reject(new Error("no answer within 20 s")) : send(request)),
    });
    const said = await runHook(io, hookTo(url, { retries: 3, secretEnv: "KEY" }), subject, never);
    expect(said.verdict).toBe("pass");
    expect(sent).toBe(4);
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(received.every((message) => isGenuine(message, secret, Date.now()))).toBe(true);
    expect(clock.slept).toEqual([1_000, 2_000, 4_000]);
  });

  test("that fails is not sent again", async () => {
    const { url, received } = await receiver({ status: 400 });
    await runHook(callIo(), hookTo(url, { retries: 3 }), subject, never);
    expect(received).toHaveLength(1);
  });

  test("says why there is no answer, and never where exactly it leads", async () => {
    const { url, host, close } = await receiver("silent");
    const late = await runHook(callIo(), hookTo(url, { timeoutMs: 200 }), subject, never);
    expect(late).toEqual({ verdict: "inconclusive", evidence: `${host}: no answer within 0.2 s` });
    await close();
    const gone = await runHook(callIo(), hookTo(url), subject, never);
    expect(gone.evidence).toBe(`${host}: no answer: nothing listens there`);
    expect(JSON.stringify([late, gone])).not.toContain("hush");
  });

  test("ends when the command is stopped", async () => {
    const { url, received } = await receiver("silent");
    const stop = new AbortController();
    const running = runHook(callIo(), hookTo(url), subject, stop.signal);
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
  });

  test("is not sent without the key that it should have", async () => {
    const { url, received } = await receiver({ status: 200 });
    const said = await runHook(callIo(), hookTo(url, { secretEnv: "KEY" }), subject, never);
    expect(said.verdict).toBe("inconclusive");
    expect(said.evidence).toContain("the variable KEY is not set");
    expect(received).toHaveLength(0);
  });

  test("of a gate has an id for each look, which is the same for each try", async () => {
    const { url, received } = await receiver({ status: 200 });
    const io = callIo();
    const call: WebhookCall = { kind: "webhook", url, secretEnv: undefined, timeoutMs: 20_000, retries: 0 };
    let now = 1_000;
    const clock = { ...io.clock, now: () => now++ };
    for (let look = 0; look < 2; look++) {
      await ask({ ...io, clock }, call, { subject, occasion: { type: "gate", name: "judge" } }, never);
    }
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(2);
  });
});

test("a secret is base64 and as long as it should be, with its prefix or without", () => {
  expect(secretProblem(undefined)).toContain("not set");
  expect(secretProblem("")).toContain("not set");
  expect(secretProblem("c2hvcnQ=")).toContain("shorter than 24 bytes");
  expect(secretProblem("any text of more than 24 bytes")).toContain("not base64");
  expect(secretProblem("whsec_no base64!")).toContain("not base64");
  expect(secretProblem(secret)).toBeUndefined();
  expect(secretProblem(`${secret.replace("whsec_", "")}\n`)).toBeUndefined();
  const message = { id: "msg_1", at: 0, body: "{}" };
  expect(signedHeaders(message, secret)).toEqual(signedHeaders(message, secret.replace("whsec_", "")));
});
