import { describe, expect, test } from "vitest";
import { isGenuine, receiver } from "../../test/support/receiver.ts";
import { hurried, subject } from "../calls/calls.fixture.ts";
import { sender } from "../calls/send.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Event } from "../core/events.ts";
import { type Notice, type NotificationTarget, noticeKinds } from "../core/notices.ts";
import { genericBody, sentenceOf, slackBody } from "./message.ts";
import { openNotifier } from "./notifier.ts";

const secret = `whsec_${Buffer.from("a key of more than 24 bytes").toString("base64")}`;

const to = (url: string, more: Partial<NotificationTarget> = {}): NotificationTarget => ({
  url: { kind: "url", url },
  format: "generic",
  on: noticeKinds,
  secretEnv: undefined,
  insecure: false,
  ...more,
});

function notifying(
  targets: readonly NotificationTarget[],
  env: Readonly<Record<string, string>> = {},
  // Time passes as it does: waits for a deadline of its own must not be over at once.
  clock: Clock = systemClock,
) {
  const events: Event[] = [];
  const notifier = openNotifier({
    targets,
    io: { clock, send: sender({}), env },
    events: (event) => events.push(event),
  });
  return { notifier, events };
}

const notice = (kind: Notice["kind"], reason?: string): Notice => ({ kind, subject, reason });
const patient = 20_000;

/** Waits between tries are over at once, other waits are not. */
const impatient: Clock = {
  ...systemClock,
  sleep: (ms, signal) => (ms === 1_000 ? hurried() : systemClock).sleep(ms, signal),
};

describe("notifications", () => {
  test("are sent one after the other, signed, to those who want to know", async () => {
    const [all, few] = [await receiver({ status: 200 }), await receiver({ status: 200 })];
    const { notifier, events } = notifying(
      [to(all.url, { secretEnv: "KEY" }), to(few.url, { on: ["finished"] })],
      { KEY: secret },
    );
    for (const kind of ["started", "phase", "finished"] as const) notifier.notify(notice(kind));
    expect(all.received).toHaveLength(0);
    await notifier.flush(patient);
    const kinds = all.received.map(({ body }) => (JSON.parse(body) as { notice: string }).notice);
    expect(kinds).toEqual(["started", "phase", "finished"]);
    expect(all.received.every((message) => isGenuine(message, secret, Date.now()))).toBe(true);
    expect(few.received).toHaveLength(1);
    expect(events).toEqual([]);
  });

  test("get their address from the environment, and nobody reads it anywhere", async () => {
    const { url } = await receiver({ status: 403, body: "invalid_token" });
    const { notifier, events } = notifying(
      [to("", { url: { kind: "env", name: "SLACK" }, format: "slack" })],
      { SLACK: url },
    );
    notifier.notify(notice("started"));
    notifier.notify(notice("finished"));
    await notifier.flush(patient);
    expect(events).toEqual([
      {
        type: "warning",
        code: "notification-failed",
        message:
          "A notification was not delivered to the address in SLACK: it answers HTTP 403: invalid_token. The rollout goes on.",
      },
    ]);
    expect(JSON.stringify(events)).not.toContain("hush");
  });

  test("that have no address or key are told once, and hold nobody", async () => {
    const { url, received } = await receiver({ status: 200 });
    const { notifier, events } = notifying([
      to("", { url: { kind: "env", name: "GONE" } }),
      to(url, { secretEnv: "ALSO_GONE" }),
    ]);
    notifier.notify(notice("started"));
    notifier.notify(notice("finished"));
    await notifier.flush(patient);
    expect(events).toMatchObject([
      { code: "notification-unset", message: expect.stringContaining("GONE") },
      { code: "notification-unset", message: expect.stringContaining("ALSO_GONE") },
    ]);
    expect(received).toHaveLength(0);
  });

  test("are tried once more", async () => {
    const { url, received } = await receiver("cut", { status: 200 });
    const { notifier, events } = notifying([to(url)], {}, impatient);
    notifier.notify(notice("started"));
    await notifier.flush(patient);
    expect(received).toHaveLength(2);
    expect(received[0]?.headers["webhook-id"]).toBe(received[1]?.headers["webhook-id"]);
    expect(events).toEqual([]);
    const bad = await receiver({ status: 500 });
    const failing = notifying([to(bad.url)], {}, impatient);
    failing.notifier.notify(notice("started"));
    await failing.notifier.flush(patient);
    expect(bad.received).toHaveLength(2);
    expect(failing.events).toMatchObject([{ code: "notification-failed" }]);
  });

  test("never lead over http to other machines, whatever the variable says", async () => {
    const { notifier, events } = notifying([to("", { url: { kind: "env", name: "A" } })], {
      A: "http://events.example.com/hush",
    });
    notifier.notify(notice("started"));
    await notifier.flush(patient);
    expect(events).toMatchObject([{ message: expect.stringContaining("over http to events.example.com") }]);
    expect(JSON.stringify(events)).not.toContain("hush");
  });

  test("do not keep a command that ends", async () => {
    const { url, received } = await receiver("silent");
    const { notifier, events } = notifying([to(url)]);
    notifier.notify(notice("started"));
    notifier.notify(notice("finished"));
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await notifier.flush(50);
    expect(events).toMatchObject([{ message: expect.stringContaining("there was no time left") }]);
    expect(received).toHaveLength(1);
  });

  test("that nobody takes do not pile up", async () => {
    const { url, received } = await receiver("silent");
    const { notifier, events } = notifying([to(url)]);
    for (let index = 0; index < 200; index++) notifier.notify(notice("phase"));
    expect(events).toMatchObject([{ message: expect.stringContaining("100 notifications wait already") }]);
    await notifier.flush(0);
    expect(received.length).toBeLessThanOrEqual(1);
  });
});

describe("what is told", () => {
  test("is a sentence that says where the traffic is", () => {
    const texts = noticeKinds.map((kind) => sentenceOf(notice(kind)));
    expect(texts).toEqual([
      "Release 7 of fraud (ml, production) begins: registry.example.com/fraud:1.5 in green",
      "Release 7 of fraud (ml, production): phase shift, step 2; traffic: blue 75 %, green 25 %",
      "Release 7 of fraud (ml, production) waits in the phase shift; traffic: blue 75 %, green 25 %",
      "Release 7 of fraud (ml, production) cannot go on in the phase shift; traffic: blue 75 %, green 25 %",
      "Release 7 of fraud (ml, production) is done; traffic: blue 75 %, green 25 %",
      "Release 7 of fraud (ml, production) was taken back after it had all traffic; traffic: blue 75 %, green 25 %",
    ]);
    const returning = { ...subject, direction: "back" as const };
    expect(sentenceOf({ kind: "failed", subject: returning })).toContain("failed; traffic: blue 75 %");
    const back = { ...returning, environment: undefined, split: { blue: 100, green: 0 } };
    expect(sentenceOf({ kind: "failed", subject: back })).toBe(
      "Release 7 of fraud (ml) went back: all traffic is where it was before",
    );
    const live = { ...subject, kind: "rollback" as const, split: { blue: 0, green: 100 } };
    expect(sentenceOf({ kind: "finished", subject: live })).toBe(
      "The rollback of fraud (ml, production) to release 7 is done: all traffic is on green",
    );
  });

  test("cannot mention people in Slack, nor make links", () => {
    const body = slackBody(
      notice("failed", "answers: <!channel> <https://evil.example.com|click> & more\nlines"),
    );
    expect(body).not.toContain("<!channel>");
    const { text, blocks } = JSON.parse(body) as { text: string; blocks: { text?: { text: string } }[] };
    expect(text).toContain("Release 7 of fraud (ml, production) cannot go on");
    expect(blocks[0]?.text?.text).toContain(
      ">answers: &lt;!channel&gt; &lt;https://evil.example.com|click&gt; &amp; more\n>lines",
    );
    expect(
      JSON.parse(slackBody(notice("failed", "x".repeat(9_000)))).blocks[0].text.text.length,
    ).toBeLessThan(3_000);
  });

  test("has one id, however often it is told, and another for something else", () => {
    const idOf = (one: Notice, at: number) => genericBody(one, at).id;
    expect(idOf(notice("held", "a"), 1)).toBe(idOf(notice("held", "a"), 2));
    const others = [
      notice("held", "b"),
      notice("failed", "a"),
      { ...notice("held", "a"), subject: { ...subject, stepIndex: 2 } },
    ];
    expect(new Set([notice("held", "a"), ...others].map((one) => idOf(one, 1))).size).toBe(4);
  });
});
