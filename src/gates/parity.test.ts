import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { callIo, reach, subject } from "../calls/calls.fixture.ts";
import type { GateIo, GateSubject, IngressOutcome, IngressRequest } from "./io.ts";
import { paceOf } from "./parity/ask.ts";
import { type ParityConfig, parityGate } from "./parity.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-parity-"));
});
afterEach(() => rm(folder, { recursive: true }));

const verify: GateSubject = { ...subject, phase: "verify" };
const path = "/v2/models/fraud/infer";
type Model = (input: number, request: IngressRequest, index: number) => IngressOutcome;

/** A clock that goes on by a millisecond with each look at it, and at once over waits. */
function quickClock() {
  let now = 0;
  return {
    now: () => ++now,
    sleep: (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      now += ms;
      return Promise.resolve();
    },
  };
}

function compared(config: Partial<ParityConfig>, models: { readonly live: Model; readonly release: Model }) {
  const requests: IngressRequest[] = [];
  const clock = quickClock();
  const io: GateIo = {
    calls: { ...callIo({ folder }), clock },
    reach: () => Promise.resolve(reach),
    counters: () => Promise.resolve({ kind: "unreadable", why: "nobody counts" }),
    pods: () => Promise.reject(new Error("Nobody asks for pods.")),
    ask: (request) => {
      requests.push(request);
      const { inputs = [] } = JSON.parse(request.body ?? "{}") as { inputs?: { data: number[] }[] };
      const model = request.route === "live" ? models.live : models.release;
      return Promise.resolve(model(inputs[0]?.data[0] ?? Number.NaN, request, requests.length - 1));
    },
  };
  const gate = {
    name: "parity",
    phases: ["verify"] as const,
    everyMs: 10,
    failures: 1,
    onInconclusive: "hold" as const,
    ...parityGate.settings({ parity: { cases: "cases.jsonl", path, pace: 1000, ...config } }, 1_000),
  };
  let memory: unknown;
  const look = async () => {
    const looked = await parityGate.look({ io, memory }, gate, verify, new AbortController().signal);
    memory = JSON.parse(JSON.stringify(looked.memory));
    return looked.said;
  };
  const toEnd = async (most = 50) => {
    let said = await look();
    for (let looks = 1; said.verdict === "hold" && looks < most; looks++) said = await look();
    return said;
  };
  const begin = (kept: unknown) => {
    memory = kept;
  };
  return { requests, look, toEnd, begin, memory: () => JSON.stringify(memory), clock };
}

const answer = (body: string, status = 200, latencyMs = 5): IngressOutcome => ({
  kind: "answer",
  answer: { status, body },
  latencyMs,
});
const output = (value: unknown, latencyMs = 5) =>
  answer(JSON.stringify({ outputs: [{ name: "p", datatype: "FP64", data: [value] }] }), 200, latencyMs);
const same: Model = (input) => output(input);
const write = (lines: readonly object[]) =>
  writeFile(join(folder, "cases.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
const inputs = (count: number) => Array.from({ length: count }, (_, index) => ({ input: [index] }));

describe("parity", () => {
  test("passes where the answers are the same, and asks live once for each input", async () => {
    await write(inputs(400));
    const { toEnd, requests } = compared({}, { live: same, release: same });
    expect(await toEnd()).toMatchObject({
      verdict: "pass",
      data: { differing: 0, lnPassLimit: Math.log(20) },
    });
    const toLive = requests.filter(({ route }) => route === "live").length;
    expect(toLive).toBe(requests.length / 2);
    expect(toLive).toBeGreaterThanOrEqual(180);
  });

  test("fails where a label is another one, with the pairs that show it; that is final", async () => {
    await write(inputs(300));
    const permuted: Model = (input) => output(input % 10 === 0 ? input + 1 : input);
    const { toEnd, look, requests } = compared({ compare: "label" }, { live: same, release: permuted });
    const said = await toEnd();
    expect(said).toMatchObject({ verdict: "fail", evidence: expect.stringContaining("for example case") });
    const { examples } = said.data as { examples: { why: string; live: string; release: string }[] };
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.length).toBeLessThanOrEqual(20);
    expect(examples[0]?.why).toMatch(/^\d+ instead of \d+$/);
    const asked = requests.length;
    expect((await look()).verdict).toBe("fail");
    expect(requests.length).toBe(asked + 0 * (await toEnd()).evidence.length);
  });

  test.each([
    ["exact", undefined],
    ["numbers", { absolute: 0.001 }],
  ] as const)(
    "a live model that differs from itself is no reason to send an equal one back: %s",
    async (_, compare) => {
      await write(inputs(1500));
      const random = randoms(7);
      const noisy: Model = () => output(random() < 0.3 ? 1 : 0);
      const { toEnd } = compared(compare === undefined ? {} : { compare }, { live: noisy, release: noisy });
      expect((await toEnd()).verdict).not.toBe("fail");
    },
  );

  test("noise within the tolerance passes, beyond it fails", async () => {
    await write(inputs(400));
    const off =
      (by: number): Model =>
      (input) =>
        output(input + by);
    const compare = { absolute: 0.01 };
    expect((await compared({ compare }, { live: same, release: off(0.005) }).toEnd()).verdict).toBe("pass");
    expect((await compared({ compare }, { live: same, release: off(0.02) }).toEnd()).verdict).toBe("fail");
  });

  test("a model that is meant to answer otherwise in some cases passes where so many are tolerated", async () => {
    await write(inputs(1500));
    const changed: Model = (input) => output(input % 20 === 0 ? -1 : input);
    const models = { live: same, release: changed };
    expect((await compared({ compare: "label" }, models).toEnd()).verdict).toBe("fail");
    expect((await compared({ compare: "label", tolerated: 0.1 }, models).toEnd()).verdict).toBe("pass");
  });

  test("one segment that is worse is found and named, though it is a small part of all", async () => {
    const lines = Array.from({ length: 1000 }, (_, index) => ({
      input: [index],
      segment: index % 25 === 0 ? "LU" : `D${index % 5}`,
    }));
    await write(lines);
    const worse: Model = (input) => output(input % 25 === 0 ? -1 : input);
    const said = await compared({ compare: "label" }, { live: same, release: worse }).toEnd();
    expect(said).toMatchObject({ verdict: "fail", evidence: expect.stringContaining(" in LU: ") });
  });

  test("NaN and answers that are none count against the release, and are shown", async () => {
    await write(inputs(200));
    const rare: Model = (input) =>
      input % 5 === 0
        ? answer('{"outputs":[{"data":[NaN]}]}')
        : input % 7 === 0
          ? answer("", 500)
          : output(input);
    const said = await compared({}, { live: same, release: rare }).toEnd();
    expect(said.verdict).toBe("fail");
    expect(JSON.stringify(said.data)).toContain("NaN in place of a number");
    expect(JSON.stringify(said.data)).toContain("HTTP 500");
  });

  test("what was asked is not asked again after a kill, and no evidence is lost", async () => {
    await write(inputs(2000));
    const { look, memory, requests } = compared(
      { tolerated: 0.001 },
      { live: same, release: (input) => output(input % 400 === 0 ? -1 : input) },
    );
    let said = await look();
    while (said.verdict === "hold") said = await look();
    const first = requests.filter(({ route }) => route === "release").map(({ body }) => body);
    expect(new Set(first).size).toBe(first.length);
    expect(memory().length).toBeLessThan(20_000);
  });

  test("a command that is killed while it asks loses that look alone, and counts no pair twice", async () => {
    await write(inputs(300));
    let dies = false;
    const { look, requests, memory } = compared(
      { tolerated: 0.001, pace: 20 },
      {
        live: (input) => {
          if (dies && requests.length % 7 === 0) throw new Error("killed");
          return output(input);
        },
        release: same,
      },
    );
    await look();
    const before = memory();
    dies = true;
    await expect(look()).rejects.toThrow("killed");
    expect(memory()).toBe(before);
    dies = false;
    let said = await look();
    while (said.verdict === "hold") said = await look();
    expect(said.data).toMatchObject({ pairs: 300, inputs: 300 });
  });

  test("live without answers, and inputs that it refuses, are no verdict on the release", async () => {
    await write(inputs(300));
    const dead = await compared({}, { live: () => answer("", 503), release: same }).toEnd();
    expect(dead).toMatchObject({
      verdict: expect.stringMatching(/hold|inconclusive/),
      evidence: expect.stringContaining("live"),
    });
    const refusing = { live: () => answer("", 401), release: () => answer("", 401) };
    expect(await compared({}, refusing).toEnd()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("live refuses the inputs (HTTP 401)"),
    });
    const failing = {
      live: () => answer('{"error":"not loaded"}'),
      release: () => answer('{"error":"not loaded"}'),
    };
    expect(await compared({ protocol: "json" }, failing).toEnd()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining('the answer is an error: {"error":"not loaded"}'),
    });
    expect(await compared({ answer: "nowhere" }, { live: same, release: same }).toEnd()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("the answer has nothing at nowhere"),
    });
    const unreachable = { kind: "unreachable", why: "connect ECONNREFUSED" } as const;
    expect(await compared({}, { live: same, release: () => unreachable }).toEnd()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("too few inputs are said with how many more it takes, and never pass", async () => {
    await write(inputs(20));
    expect(await compared({}, { live: same, release: same }).toEnd()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringMatching(/not shown to be under 3 %.*at least 1\d\d more inputs/),
    });
  });

  test("live is left alone when its answers become slow", async () => {
    await write(inputs(2000));
    let count = 0;
    const slowing: Model = (input) => output(input, ++count > 60 ? 400 : 10);
    const { look } = compared({ tolerated: 0 }, { live: slowing, release: same });
    let said = await look();
    for (let looks = 0; looks < 3 && !said.evidence.includes("left alone"); looks++) said = await look();
    expect(said).toMatchObject({ verdict: "hold", evidence: expect.stringContaining("took longer than") });
    const asked = count;
    expect(await look()).toMatchObject({ evidence: expect.stringContaining("left alone for another") });
    expect(count).toBe(asked);
  });

  test("what is masked stands in no record and no evidence", async () => {
    await write(inputs(100).map(({ input }) => ({ input: { amount: input, name: "Ada Lovelace" } })));
    const secret: Model = (_, { route }) =>
      answer(JSON.stringify({ outputs: [{ name: "p", data: [route === "live" ? "Ada" : "Countess"] }] }));
    const { toEnd, memory } = compared({ mask: ["input.name", "answer"] }, { live: secret, release: secret });
    const said = await toEnd();
    expect(said.verdict).toBe("fail");
    for (const text of [JSON.stringify(said), memory()]) {
      expect(text).not.toContain("Ada");
      expect(text).not.toContain("Countess");
      expect(text).toContain("[masked]");
    }
  });

  test("what streams tell beside their text is shown, and a stream that is cut counts against the release", async () => {
    await writeFile(
      join(folder, "cases.jsonl"),
      Array.from({ length: 200 }, (_, index) => `{"input":"question ${index}"}\n`).join(""),
    );
    const events = (...choices: object[]) =>
      choices.map((choice) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`).join("");
    const text = { index: 0, delta: { content: "yes" } };
    const whole: Model = () => answer(events(text, { index: 0, delta: {}, finish_reason: "stop" }));
    let count = 0;
    const cut: Model = (...of) => (++count % 5 === 0 ? answer(events(text)) : whole(...of));
    const config = { path: "/v1/chat/completions", compare: "text" } as const;
    const said = await compared(config, { live: whole, release: cut }).toEnd();
    expect(said).toMatchObject({
      verdict: "fail",
      data: { told: { live: { finish: { stop: expect.any(Number) } } } },
    });
    expect(said.evidence).toContain("the stream was cut short");
  });

  test("a file that is wrong is told with line and field: before a rollout, and no verdict in one", async () => {
    await writeFile(join(folder, "cases.jsonl"), '{"input":[1]}\n{"input":[1],"extra":2}\n');
    const { look } = compared({}, { live: same, release: same });
    expect(await look()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("cases.jsonl:2, extra: "),
    });
    const settings = parityGate.settings({ parity: { cases: "cases.jsonl", path } }, 1_000);
    await expect(parityGate.require?.(settings, folder)).rejects.toMatchObject({ code: "cases-invalid" });
  });

  test("live gets a tenth of what clients send, one a second at least, and no more than was said", () => {
    expect(paceOf(undefined, undefined)).toBe(5);
    expect(paceOf(50, undefined)).toBe(50);
    expect(paceOf(undefined, 300)).toBe(30);
    expect(paceOf(20, 300)).toBe(20);
    expect(paceOf(undefined, 0)).toBe(1);
    expect(paceOf(0.5, 300)).toBe(0.5);
    // Gates that ask live at the same time have one tenth together.
    expect(paceOf(undefined, 300, 3)).toBe(10);
    expect(paceOf(undefined, 0, 2)).toBe(0.5);
  });

  test("a segment may be called like what every object has", async () => {
    const segments = ["constructor", "toString", "__proto__"];
    await write(inputs(90).map((one, index) => ({ ...one, segment: segments[index % 3] })));
    const { toEnd, memory } = compared(
      { compare: "label" },
      { live: same, release: (input) => output(input + 1) },
    );
    expect(await toEnd()).toMatchObject({
      verdict: "fail",
      evidence: expect.stringContaining("constructor"),
    });
    expect(JSON.parse(memory()).segments.constructor.pairs).toBeGreaterThan(10);
  });

  test("ids of 64 bits are sent as they stand in the file, and two that a double cannot tell apart differ", async () => {
    const lines = Array.from(
      { length: 90 },
      (_, index) => `{"input":{"user":1357924680135792${400 + index}}}`,
    );
    await writeFile(join(folder, "cases.jsonl"), lines.join("\n"));
    const item = (id: string): IngressOutcome => answer(`{"item":${id}}`);
    const { toEnd, requests } = compared(
      { path: "/recommend" },
      { live: () => item("9007199254740993"), release: () => item("9007199254740992") },
    );
    expect(await toEnd()).toMatchObject({
      verdict: "fail",
      evidence: expect.stringContaining('9007199254740992} instead of {"item":9007199254740993}'),
    });
    for (const { body } of requests) expect(lines).toContain(`{"input":${body}}`);
  });

  test("pairs that were compared otherwise are no evidence", async () => {
    await write(inputs(400));
    const noisy: Model = (input) => output(input + 1e-9);
    const models = { live: same, release: noisy };
    const exact = compared({ inputs: 4 }, models);
    await exact.look();
    const before = JSON.parse(exact.memory()) as object;
    expect(before).toMatchObject({ all: { newOnly: 4 } });
    const tolerant = compared({ compare: { absolute: 0.001 } }, models);
    tolerant.begin(before);
    expect(await tolerant.look()).toMatchObject({ verdict: "inconclusive" });
    const evidence = expect.stringContaining("1 restart with lost evidence");
    expect(await tolerant.toEnd()).toMatchObject({ verdict: "pass", evidence });
    expect(JSON.parse(tolerant.memory())).toMatchObject({ lostEvidence: 1, since: { all: { newOnly: 0 } } });
  });

  test.each([
    ["input.nmae", ["input.nmae"]],
    ["one of two", ["input.name", "input.user.id"]],
  ])("a mask that hides nothing is refused before anything is asked: %s", async (_, mask) => {
    await write([{ input: { name: "Ada" } }, { input: { name: "Grace" } }]);
    const settings = parityGate.settings({ parity: { cases: "cases.jsonl", path: "/p", mask } }, 1_000);
    await expect(parityGate.require?.(settings, folder)).rejects.toMatchObject({ code: "mask-unmatched" });
  });

  test("an answer of another form than the mask thought shows nothing", async () => {
    await write(inputs(100));
    const live: Model = () => answer('{"customer":"Ada","score":1}');
    const release: Model = () => answer('{"detail":"no such customer: Ada"}');
    const { toEnd, memory } = compared({ path: "/p", mask: ["answer.customer"] }, { live, release });
    const said = await toEnd();
    expect(said.verdict).toBe("fail");
    expect(`${JSON.stringify(said)} ${memory()}`).not.toContain("Ada");
  });

  test("the pace to live is kept", async () => {
    await write(inputs(400));
    const times: number[] = [];
    const { look, clock } = compared(
      { pace: 5 },
      {
        live: (input) => {
          times.push(clock.now());
          return output(input);
        },
        release: same,
      },
    );
    await look();
    expect(times.length).toBeGreaterThan(10);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual((times.length - 1) * 200);
  });
});

function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
