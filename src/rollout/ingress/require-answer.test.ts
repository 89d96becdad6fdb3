import { beforeEach, expect, test } from "vitest";
import { noFlags } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testConfig } from "../../../test/support/rollout-bench.ts";
import { plain } from "../../component/routers/plain.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import type { ProofSubject } from "./proof-subject.ts";
import { identityProbe } from "./proof-subject.ts";
import { requireAnswer } from "./require-answer.ts";

type Answer = NonNullable<ReturnType<TestBench["ask"]>>;

let bench: TestBench;
const config = testConfig({ router: "plain" });
const signIn = { status: 401, body: "", headers: { "www-authenticate": 'Basic realm="models"' } };

beforeEach(async () => {
  bench = testBench();
  await up(bench.context(config), noFlags);
  bench.stack.operations.length = 0;
});

async function required(answers: (asked: number) => Answer): Promise<number> {
  const context = bench.context(config);
  const record = await context.store.read();
  if (record === undefined) throw new Error("`up` has written a record.");
  const { settings } = record;
  const subject: ProofSubject = {
    settings,
    router: plain,
    identity: identityProbe(settings),
    identities: { blue: "version of blue", green: "version of green" },
    endpoints: [{ url: "http://192.0.2.1", protocol: "http", address: "192.0.2.1", port: 80 }],
  };
  let asked = 0;
  bench.ask = () => {
    asked += 1;
    return answers(asked);
  };
  await requireAnswer(context, subject);
  return asked;
}

const html = { "content-type": "text/html" };

test.each<[string, Answer, RegExp]>([
  ["a sign-in", signIn, /HTTP 401, asks for credentials \(Basic realm="models"\)/],
  ["an allow list", { status: 403, body: "" }, /HTTP 403, refused/],
  [
    "a login page",
    { status: 200, body: '<form><input type="password"></form>', headers: html },
    /a login page/,
  ],
  [
    "a redirect",
    { status: 308, body: "", headers: { location: "https://fraud.test/version" } },
    /a redirect to https/,
  ],
])("%s in front of the model is no answer of it", async (_what, answer, words) => {
  await expect(required(() => answer)).rejects.toMatchObject({
    code: "ingress-barred",
    message: expect.stringMatching(words),
    hint: expect.stringMatching(/ingress\.(probe\.headers|endpoints)/),
  });
});

test.each<[string, Answer]>([
  ["the model's", { status: 200, body: "version of blue" }],
  ["an error of the model", { status: 500, body: "" }],
  ["a controller's whose slot is dead", { status: 503, body: "" }],
  ["a controller's that has not learnt of the Ingress yet", { status: 404, body: "" }],
])("an answer that is %s comes through", async (_what, answer) => {
  expect(await required(() => answer)).toBe(1);
});

test("a limit is waited for, as slowly as it wants, and says nothing until it is over", async () => {
  const startedAt = bench.clock.now();
  const limit = { status: 429, body: "", headers: { "retry-after": "2" } };
  const asked = await required((count) => (count < 3 ? limit : { status: 200, body: "version of blue" }));
  expect(asked).toBe(3);
  expect(bench.clock.now() - startedAt).toBeGreaterThanOrEqual(4_000);
});

test("one that lasts for as long as a proof may take is in the way", async () => {
  await expect(required(() => ({ status: 429, body: "" }))).rejects.toMatchObject({
    code: "ingress-barred",
    message: expect.stringContaining("HTTP 429, too many requests"),
    hint: expect.stringContaining("limits how often"),
  });
});

test("with the plain router nothing is written where a sign-in is in the way", async () => {
  bench.ask = () => signIn;
  await expect(switchTraffic(bench.context(config), "green")).rejects.toMatchObject({
    code: "ingress-barred",
  });
  expect(bench.moves).toEqual([]);
});
