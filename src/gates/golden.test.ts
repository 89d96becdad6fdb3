import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { callIo, reach, subject } from "../calls/calls.fixture.ts";
import { type GoldenConfig, goldenGate } from "./golden.ts";
import type { GateIo, GateSubject, IngressOutcome, IngressRequest } from "./io.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-golden-"));
});
afterEach(() => rm(folder, { recursive: true }));

const verify: GateSubject = { ...subject, phase: "verify" };
const path = "/v2/models/fraud/infer";

/** A model that answers what the function says, asked with these settings. */
function asked(
  config: Omit<GoldenConfig, "path">,
  model: (request: IngressRequest, index: number) => IngressOutcome,
) {
  const requests: IngressRequest[] = [];
  const io: GateIo = {
    calls: callIo({ folder }),
    reach: () => Promise.resolve(reach),
    counters: () => Promise.resolve({ kind: "unreadable", why: "nobody counts" }),
    pods: () => Promise.reject(new Error("Nobody asks for pods.")),
    ask: (request) => {
      requests.push(request);
      return Promise.resolve(model(request, requests.length - 1));
    },
  };
  const gate = {
    name: "golden",
    phases: ["verify"] as const,
    everyMs: 10,
    failures: 1,
    onInconclusive: "hold" as const,
    ...goldenGate.settings({ golden: { path, ...config } }, 1_000),
  };
  let memory: unknown;
  const look = async (of: GateSubject = verify) => {
    const looked = await goldenGate.look({ io, memory }, gate, of, new AbortController().signal);
    memory = JSON.parse(JSON.stringify(looked.memory));
    return looked.said;
  };
  return { requests, look, memory: () => memory };
}

const answer = (body: string, status = 200): IngressOutcome => ({
  kind: "answer",
  answer: { status, body },
  latencyMs: 5,
});
const output = (value: unknown) =>
  answer(JSON.stringify({ outputs: [{ name: "p", shape: [1], datatype: "FP64", data: [value] }] }));
const write = (lines: readonly object[]) =>
  writeFile(join(folder, "cases.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));

describe("golden", () => {
  test("passes where every answer is as declared, within the tolerance", async () => {
    await write([
      { input: [0.1, 0.7], expected: 0.5 },
      { input: [0.2, 0.7], expected: 0.5 },
    ]);
    const { look, requests } = asked({ cases: "cases.jsonl", compare: { absolute: 0.01 } }, () =>
      output(0.509),
    );
    expect(await look()).toMatchObject({ verdict: "pass", evidence: "2 of 2 cases as declared" });
    expect(requests[0]).toMatchObject({ route: "release", path, method: "POST" });
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ inputs: [{ data: [0.1, 0.7] }] });
    expect(await look()).toMatchObject({ verdict: "pass" });
    expect(requests).toHaveLength(2);
    expect(await look({ ...verify, phase: "soak" })).toMatchObject({ verdict: "pass" });
    expect(requests).toHaveLength(4);
    expect(requests[3]?.route).toBe("clients");
  });

  test("fails with one miss, shows it, and does not forget it", async () => {
    await write(Array.from({ length: 60 }, (_, index) => ({ id: `c${index}`, input: [index], expected: 1 })));
    const { look } = asked({ cases: "cases.jsonl" }, (_, index) => output(index === 3 ? 2 : 1));
    expect(await look()).toEqual({
      verdict: "fail",
      evidence: "case c3 of cases.jsonl: 2 instead of 1",
      data: { file: "cases.jsonl", cases: 60, answered: 50, misses: [{ id: "c3", why: "2 instead of 1" }] },
    });
    expect(await look()).toMatchObject({ verdict: "fail", data: { answered: 60 } });
  });

  test.each([
    [answer('{"outputs":[{"data":[NaN]}]}'), "the answer has NaN in place of a number"],
    [answer("<html>"), "the answer is no JSON"],
    [answer("{}", 500), "HTTP 500"],
    [answer("{}"), "the answer has no outputs"],
    [output(null), "null instead of 1"],
    [{ kind: "broken", why: "no answer within 1000 ms" } as const, "no answer within 1000 ms"],
  ])("%j is a miss", async (outcome, why) => {
    await write([{ input: [1], expected: 1 }]);
    const { look } = asked({ cases: "cases.jsonl" }, () => outcome);
    expect(await look()).toMatchObject({ verdict: "fail", evidence: expect.stringContaining(why) });
  });

  test("holds over many cases, and goes on where a killed command was", async () => {
    await write(Array.from({ length: 120 }, (_, index) => ({ input: [index], expected: index })));
    const { look, requests } = asked({ cases: "cases.jsonl" }, (_, index) => output(index));
    expect(await look()).toMatchObject({ verdict: "hold", evidence: "50 of 120 cases as declared" });
    expect((await look()).verdict).toBe("hold");
    expect(await look()).toMatchObject({ verdict: "pass", evidence: "120 of 120 cases as declared" });
    expect(requests).toHaveLength(120);
  });

  test("says nothing of the release where nobody answered, and asks that case again", async () => {
    await write([{ input: [1], expected: 1 }]);
    const outcomes: readonly IngressOutcome[] = [{ kind: "unreachable", why: "refused" }, output(1)];
    const { look } = asked({ cases: "cases.jsonl" }, (_, index) => outcomes[index] ?? output(1));
    expect(await look()).toMatchObject({
      verdict: "inconclusive",
      evidence: "0 of 1 cases as declared; ingress not reached: refused",
    });
    expect((await look()).verdict).toBe("pass");
  });

  test("says where its file is wrong: no verdict on the release", async () => {
    const model = () => output(1);
    expect(await asked({ cases: "none.jsonl" }, model).look()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("none.jsonl cannot be read"),
    });
    await writeFile(join(folder, "bad.csv"), "a,expected\n1,2\n3,");
    expect(await asked({ cases: "bad.csv" }, model).look()).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("bad.csv:3, expected: is missing"),
    });
    await writeFile(join(folder, "empty.jsonl"), "\n");
    expect((await asked({ cases: "empty.jsonl" }, model).look()).verdict).toBe("inconclusive");
  });

  test("its file is checked before a rollout begins", async () => {
    const check = (cases: string) =>
      goldenGate.require?.(goldenGate.settings({ golden: { path, cases } }, 1_000), folder);
    await expect(check("none.jsonl")).rejects.toMatchObject({ code: "cases-unreadable" });
    await write([
      { input: [1], expected: 1 },
      { input: [1, "a"], expected: 1 },
    ]);
    await expect(check("cases.jsonl")).rejects.toMatchObject({ code: "cases-invalid" });
    await write([{ input: [1], expected: 1 }]);
    await check("cases.jsonl");
  });

  test("takes plain JSON, a path into the answer, and labels from CSV", async () => {
    await writeFile(join(folder, "cases.csv"), "amount,country,label\n3,DE,fraud\n4,FR,fine\n");
    const { look, requests } = asked(
      { cases: "cases.csv", protocol: "json", compare: "label", answer: "result.label" },
      (_, index) => answer(JSON.stringify({ result: { label: index === 0 ? "fraud" : "fine" } })),
    );
    expect((await look()).verdict).toBe("pass");
    expect(JSON.parse(requests[0]?.body ?? "")).toEqual({ amount: 3, country: "DE" });
  });

  test("a file that is written anew meanwhile is asked from its beginning", async () => {
    await write(Array.from({ length: 60 }, (_, index) => ({ input: [index], expected: 1 })));
    const { look, requests } = asked({ cases: "cases.jsonl" }, () => output(1));
    expect((await look()).verdict).toBe("hold");
    await write(Array.from({ length: 60 }, (_, index) => ({ input: [index + 100], expected: 1 })));
    expect((await look()).evidence).toBe("50 of 60 cases as declared");
    expect(await look()).toMatchObject({ verdict: "pass", evidence: "60 of 60 cases as declared" });
    expect(requests).toHaveLength(110);
  });
});
