import { describe, expect, test } from "vitest";
import { callIo, reach, subject } from "../calls/calls.fixture.ts";
import type { GateIo, GateSubject, IngressOutcome, IngressRequest } from "./io.ts";
import { type SmokeConfig, smokeGate } from "./smoke.ts";

const path = "/v2/models/fraud";
const metadata = (inputs: readonly object[], outputs: readonly object[] = []) =>
  answer(JSON.stringify({ inputs, outputs }));
const answer = (body: string, status = 200): IngressOutcome => ({
  kind: "answer",
  answer: { status, body },
  latencyMs: 1,
});
const x = { name: "x", datatype: "FP64", shape: [-1, 2] };
const y = { name: "y", datatype: "FP32", shape: [-1] };

const ioOf = (model: (request: IngressRequest) => IngressOutcome): GateIo => ({
  calls: callIo(),
  reach: () => Promise.resolve(reach),
  counters: () => Promise.resolve({ kind: "unreadable", why: "nobody counts" }),
  pods: () => Promise.reject(new Error("Nobody asks for pods.")),
  ask: (request) => Promise.resolve(model(request)),
});

function asked(model: (request: IngressRequest) => IngressOutcome, config: Omit<SmokeConfig, "path"> = {}) {
  const io = ioOf(model);
  const gate = {
    name: "smoke",
    phases: ["verify"] as const,
    everyMs: 10,
    failures: 1,
    onInconclusive: "hold" as const,
    ...smokeGate.settings({ smoke: { path, ...config } }, 1_000),
  };
  let memory: unknown;
  return async (phase: GateSubject["phase"] = "verify") => {
    const looked = await smokeGate.look(
      { io, memory },
      gate,
      { ...subject, phase },
      new AbortController().signal,
    );
    memory = JSON.parse(JSON.stringify(looked.memory));
    return looked.said;
  };
}

/** Two models: what each says of itself. */
const models = (release: IngressOutcome, live: IngressOutcome) => (request: IngressRequest) =>
  request.path.endsWith("/ready") ? answer("{}") : request.route === "release" ? release : live;

describe("smoke", () => {
  test("passes where the model is ready and has the inputs and outputs of the live one, in any order", async () => {
    const look = asked(models(metadata([x, y]), metadata([y, x])));
    expect(await look()).toMatchObject({ verdict: "pass", evidence: "ready, inputs and outputs as before" });
  });

  test("a server that names no inputs has shown none", async () => {
    const look = asked(models(metadata([]), metadata([])));
    expect(await look()).toMatchObject({
      verdict: "pass",
      evidence: "ready; neither model names inputs or outputs, so these are not compared",
    });
  });

  test("fails where they are others, unless that is declared", async () => {
    const changed = models(metadata([x], [y]), metadata([{ ...x, shape: [-1, 3] }], [y]));
    expect(await asked(changed)()).toMatchObject({
      verdict: "fail",
      evidence: 'no input x: FP64 [-1,3] any more; new input x: FP64 [-1,2] (schema: "changed" allows it)',
    });
    expect((await asked(changed, { schema: "changed" })()).verdict).toBe("pass");
  });

  test("remembers what the live model was: in the soak clients are led to the new one", async () => {
    let release = metadata([x]);
    const look = asked((request) =>
      models(release, request.route === "clients" ? metadata([x]) : release)(request),
    );
    expect((await look()).verdict).toBe("pass");
    release = metadata([x, y]);
    expect(await look("shift")).toMatchObject({
      verdict: "fail",
      evidence: expect.stringContaining("new input y"),
    });
  });

  test("a live model that was not seen is no proof", async () => {
    const look = asked(models(metadata([x]), { kind: "unreachable", why: "refused" }));
    expect(await look()).toMatchObject({
      verdict: "inconclusive",
      evidence: "the live model's inputs and outputs were not seen: ingress not reached: refused",
    });
  });

  test.each([
    [answer("{}", 503), "fail", "not ready: HTTP 503"],
    [{ kind: "unreachable", why: "refused" } as const, "inconclusive", "ingress not reached: refused"],
  ])("%j to the question whether it is ready", async (ready, verdict, evidence) => {
    const look = asked((request) => (request.path === `${path}/ready` ? ready : metadata([x])));
    expect(await look()).toEqual({ verdict, evidence });
  });

  test("metadata that is no JSON fails", async () => {
    expect(await asked(models(answer("<html>"), metadata([x])))()).toMatchObject({
      verdict: "fail",
      evidence: "metadata: the answer is no JSON",
    });
  });
});

test("a smoke gate that never sees the live model is refused, unless it need not", () => {
  const problems = (more: object) =>
    smokeGate
      .problems?.({ smoke: { path, ...more }, phases: ["soak"] }, { input: {} })
      .map(({ message }) => message);
  expect(problems({})).toEqual([expect.stringContaining("seen in the phase verify alone")]);
  expect(problems({ schema: "changed" })).toEqual([]);
});

describe("a smoke gate that nobody asked for", () => {
  const settings = smokeGate.settings({ smoke: { path } }, 1_000);
  const look = async (model: (request: IngressRequest) => IngressOutcome) => {
    const io = ioOf(model);
    const gate = {
      name: "smoke",
      phases: ["verify"] as const,
      everyMs: 10,
      failures: 2,
      onInconclusive: "pass" as const,
      byDefault: true as const,
      ...settings,
      smoke: { ...settings.smoke, unlessLiveFails: true as const },
    };
    const about = { ...subject, phase: "verify" } as const;
    const { said } = await smokeGate.look(
      { io, memory: undefined },
      gate,
      about,
      new AbortController().signal,
    );
    return said;
  };

  test("says nothing of a release whose live model does not answer the question either", async () => {
    expect(await look(() => answer("", 404))).toEqual({
      verdict: "inconclusive",
      evidence: `whether the live model answers ${path} was not seen: HTTP 404`,
    });
    // It has metadata, but says nothing of being ready.
    const half = await look(({ path: asked }) =>
      asked.endsWith("/ready") ? answer("", 404) : metadata([x]),
    );
    expect(half.verdict).toBe("inconclusive");
  });

  test("fails one that does not answer what the live model does", async () => {
    expect(await look(models(metadata([x]), metadata([x])))).toMatchObject({ verdict: "pass" });
    expect(await look(models(metadata([y]), metadata([x])))).toMatchObject({ verdict: "fail" });
    expect(await look(models(answer("", 500), metadata([x])))).toMatchObject({ verdict: "fail" });
  });
});
