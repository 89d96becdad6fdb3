import { describe, expect, test } from "vitest";
import { callIo, reach, subject } from "../calls/calls.fixture.ts";
import type { GateIo, IngressOutcome, IngressRequest } from "./io.ts";
import type { Gate } from "./kinds.ts";
import { answerProblem, type GateRequest, requestGate } from "./request.ts";

const never = new AbortController().signal;
const asking: GateRequest = {
  path: "/v2/models/fraud/infer",
  method: "POST",
  headers: { authorization: "x" },
  body: { inputs: [] },
  count: 5,
  allowed: 1,
  insecure: false,
  timeoutMs: 2_000,
  expect: { status: 200, json: undefined, latencyMs: undefined },
};
const gateOf = (request: Partial<GateRequest> = {}): Extract<Gate, { kind: "request" }> => ({
  kind: "request",
  name: "answers",
  phases: ["verify", "shift", "soak"],
  everyMs: 1_000,
  failures: 1,
  onInconclusive: "hold",
  request: { ...asking, ...request },
});

/** An ingress that gives one outcome after the other, the last one for good. */
function ingress(...outcomes: readonly IngressOutcome[]) {
  const asked: IngressRequest[] = [];
  const io: GateIo = {
    calls: callIo(),
    reach: () => Promise.resolve(reach),
    counters: () => Promise.resolve({ kind: "unreadable", why: "nobody counts" }),
    pods: () => Promise.reject(new Error("Nobody asks for pods.")),
    ask: (request) => {
      const outcome = outcomes[Math.min(asked.length, outcomes.length - 1)];
      asked.push(request);
      return Promise.resolve(outcome ?? { kind: "broken", why: "nothing" });
    },
  };
  return { io, asked };
}
const look = (
  io: GateIo,
  ...rest: Parameters<typeof requestGate.look> extends [unknown, ...infer Rest] ? Rest : never
) => requestGate.look({ io, memory: undefined }, ...rest).then(({ said }) => said);
const answer = (status = 200, body = "{}", latencyMs = 12): IngressOutcome => ({
  kind: "answer",
  answer: { status, body },
  latencyMs,
});

describe("requests through the ingress", () => {
  test.each([
    ["verify", "release"],
    ["shift", "release"],
    ["soak", "clients"],
  ] as const)("in the phase %s go to the %s", async (phase, route) => {
    const { io, asked } = ingress(answer());
    const said = await look(io, gateOf(), { ...subject, phase }, never);
    expect(said).toEqual({ verdict: "pass", evidence: "5 of 5 answers as expected; slowest 0.012 s" });
    expect(asked).toHaveLength(5);
    expect(asked[0]).toMatchObject({ route, method: "POST", body: '{"inputs":[]}', timeoutMs: 2_000 });
  });

  test("fail when more than allowed are wrong, and end with that", async () => {
    const { io, asked } = ingress(answer(), answer(500, "boom\nmore"));
    const said = await look(io, gateOf(), { ...subject, phase: "soak" }, never);
    expect(said).toEqual({
      verdict: "fail",
      evidence: "1 of 3 answers as expected; slowest 0.012 s; 2 times HTTP 500 instead of 200: boom",
    });
    expect(asked).toHaveLength(3);
  });

  test("pass with as many wrong answers as are allowed", async () => {
    const { io } = ingress({ kind: "broken", why: "no answer within 2000 ms" }, answer());
    const said = await look(io, gateOf(), { ...subject, phase: "soak" }, never);
    expect(said).toMatchObject({ verdict: "pass", evidence: expect.stringContaining("4 of 5") });
  });

  test("say nothing about the release where the ingress itself was not reached", async () => {
    const { io } = ingress(answer(), { kind: "unreachable", why: "connect ECONNREFUSED" });
    const said = await look(io, gateOf(), { ...subject, phase: "soak" }, never);
    expect(said.verdict).toBe("inconclusive");
    expect(said.evidence).toContain("ingress not reached: 4 times connect ECONNREFUSED");
  });

  test("say nothing about the release where somebody limits requests, unless that is what is expected", async () => {
    const limit: IngressOutcome = {
      kind: "answer",
      answer: { status: 429, body: "", limit: "HTTP 429, too many requests" },
      latencyMs: 1,
    };
    const { io } = ingress(answer(), limit);
    const said = await look(io, gateOf(), { ...subject, phase: "soak" }, never);
    expect(said).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("not answered by the release: 4 times HTTP 429, too many requests"),
    });
    const gate = gateOf();
    const wanted = { ...gate, request: { ...gate.request, expect: { ...gate.request.expect, status: 429 } } };
    const { io: limiting } = ingress(limit);
    const right = await look(limiting, wanted, { ...subject, phase: "soak" }, never);
    expect(right.verdict).toBe("pass");
  });
});

describe("an answer", () => {
  const problem = (expect: Partial<GateRequest["expect"]>, body = "{}", status = 200, latencyMs = 10) =>
    answerProblem({ expect: { ...asking.expect, ...expect } }, { status, body }, latencyMs);

  test("is as expected, or it is said what is not", () => {
    expect(problem({})).toBeUndefined();
    expect(problem({ status: 404 }, "", 404)).toBeUndefined();
    expect(problem({}, "", 404)).toBe("HTTP 404 instead of 200");
    const large = { status: 200, body: "{", truncated: true };
    const named = { ...asking.expect, json: { path: "a", value: 1 } };
    expect(answerProblem({ expect: named }, large, 1)).toBe("the answer is too large to be read");
    expect(answerProblem({ expect: asking.expect }, large, 1)).toBeUndefined();
    expect(problem({ latencyMs: 10 })).toBeUndefined();
    expect(problem({ latencyMs: 9.5 })).toBe("took longer than 0.0095 s");
    const json = { path: "outputs.0.name", value: "score" };
    expect(problem({ json }, '{"outputs":[{"name":"score"}]}')).toBeUndefined();
    expect(problem({ json }, '{"outputs":[{"name":"label"}]}')).toBe(
      'outputs.0.name is "label" instead of "score"',
    );
    expect(problem({ json }, '{"outputs":[]}')).toBe('outputs.0.name is not there instead of "score"');
    expect(problem({ json }, "<html>")).toBe("the answer is no JSON");
    expect(problem({ json: { path: "a", value: { b: [1] } } }, '{"a":{"b":[1]}}')).toBeUndefined();
    expect(problem({ json: { path: "a", value: undefined } }, '{"a":0}')).toBeUndefined();
    expect(problem({ json: { path: "a", value: undefined } }, '{"a":null}')).toBe("nothing at a");
  });
});
