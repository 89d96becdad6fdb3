import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { receiver } from "../../test/support/receiver.ts";
import { callIo, reach, subject } from "../calls/calls.fixture.ts";
import { systemClock } from "../core/clock.ts";
import { gatePhases } from "../core/gates.ts";
import type { GateIo, GateSubject, PodsSeen } from "./io.ts";
import type { Gate } from "./kinds.ts";
import { type GateLook, GateWatch, type GateWatchOptions } from "./watch.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-gates-"));
});
afterEach(() => rm(folder, { recursive: true }));

const fraud: GateSubject = { ...subject, phase: "shift" };
const base = { phases: gatePhases, everyMs: 20, failures: 1, onInconclusive: "hold" } as const;
const script = (name: string, text: string, more: Partial<Gate> = {}): Gate =>
  ({
    ...base,
    kind: "command",
    name,
    call: { kind: "command", run: ["sh", "-c", text], timeoutMs: 20_000, retries: 0 },
    ...more,
  }) as Gate;

function watching(
  gates: readonly Gate[],
  io: Partial<GateIo> = {},
  more: Pick<GateWatchOptions, "memories" | "onMemory"> = {},
) {
  const looks: GateLook[] = [];
  const stop = new AbortController();
  const watch = new GateWatch({
    io: {
      calls: callIo({ clock: systemClock, folder }),
      reach: () => Promise.resolve(reach),
      counters: () => Promise.resolve({ kind: "unreadable", why: "nobody counts" }),
      ask: () => Promise.resolve({ kind: "broken", why: "nobody" }),
      pods: () => Promise.resolve({ desired: 0, pods: [] }),
      ...io,
    },
    gates,
    signal: stop.signal,
    onVerdict: (look) => looks.push(look),
    ...more,
  });
  return { watch, looks, stop };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("gates that are watched", () => {
  test("hold until each has looked, then pass together", async () => {
    const { watch, looks } = watching([
      script("one", "echo fine"),
      script("two", "test -e go && echo gone || exit 5"),
      script("other phase", "exit 1", { phases: ["soak"] }),
    ]);
    expect(watch.verdict()).toMatchObject({ kind: "pass", gates: [] });
    watch.enter(fraud);
    expect(watch.verdict()).toMatchObject({ kind: "hold", gates: [{ name: "one" }, { name: "two" }] });
    await until(() => watch.verdict().gates.some(({ verdict }) => verdict === "pass"));
    expect(watch.verdict().kind).toBe("hold");
    await writeFile(join(folder, "go"), "");
    await until(() => watch.verdict().kind === "pass");
    await watch.leave();
    expect(looks).toContainEqual({ name: "one", phase: "shift", verdict: "pass", evidence: "fine" });
    expect(looks.filter(({ name }) => name === "one")).toHaveLength(1);
    expect(watch.verdict()).toMatchObject({ kind: "pass", gates: [] });
  });

  test("say when they have looked", async () => {
    const { watch } = watching([script("one", "true")]);
    watch.enter(fraud);
    await watch.news();
    expect(watch.verdict().kind).toBe("pass");
    await watch.leave();
  });

  test("fail after as many failing looks in a row as it takes, and are not asked again", async () => {
    const { watch, looks } = watching([
      script("bad", "echo x >> looks; echo too slow; exit 3", { failures: 3 }),
      script("good", "true"),
    ]);
    watch.enter(fraud);
    await until(() => watch.verdict().kind === "fail");
    expect(watch.verdict().gates).toContainEqual({ name: "bad", verdict: "fail", evidence: "too slow" });
    const told = looks.filter(({ name }) => name === "bad");
    expect(told.map(({ verdict, evidence }) => `${verdict}: ${evidence}`)).toEqual([
      "hold: fails 1 of 3 times: too slow",
      "fail: too slow",
    ]);
    await watch.leave();
  });

  test("cannot tell after three looks that could not", async () => {
    const { watch } = watching([script("odd", "exit 42")]);
    watch.enter(fraud);
    await until(() => watch.verdict().kind === "inconclusive");
    await watch.leave();
  });

  test("start anew with each step and phase, and not with every look of the rollout", async () => {
    const { watch } = watching([script("count", "echo x >> looks")]);
    watch.enter(fraud);
    await until(() => watch.verdict().kind === "pass");
    watch.enter({ ...fraud });
    expect(watch.verdict().kind).toBe("pass");
    watch.enter({ ...fraud, stepIndex: 2 });
    expect(watch.verdict().kind).toBe("hold");
    watch.enter({ ...fraud, phase: "soak" });
    expect(watch.verdict().kind).toBe("hold");
    await until(() => watch.verdict().kind === "pass");
    await watch.leave();
  });

  test("end with all that they started when they are left, or when the command is stopped", async () => {
    for (const how of ["leave", "abort"] as const) {
      const { watch, stop } = watching([script("slow", "echo $$ > pid; exec sleep 600")]);
      await rm(join(folder, "pid"), { force: true });
      watch.enter(fraud);
      const { readFile } = await import("node:fs/promises");
      let pid = 0;
      while (pid === 0) {
        pid = Number(await readFile(join(folder, "pid"), "utf8").catch(() => "0"));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (how === "abort") stop.abort();
      await watch.leave();
      expect(() => process.kill(pid, 0)).toThrow();
      expect(watch.verdict().kind).toBe("pass");
    }
  });

  test("of a webhook are asked with the release's facts, one message for each look", async () => {
    const server = await receiver(
      { status: 200, body: '{"verdict":"hold","evidence":"12 of 100"}' },
      { status: 200 },
    );
    const gate: Gate = {
      ...base,
      kind: "webhook",
      name: "judge",
      call: { kind: "webhook", url: server.url, secretEnv: undefined, timeoutMs: 20_000, retries: 0 },
    };
    const { watch, looks } = watching([gate]);
    watch.enter(fraud);
    await until(() => watch.verdict().kind === "pass");
    await watch.leave();
    expect(looks.map(({ verdict, evidence }) => `${verdict}: ${evidence}`)[0]).toBe("hold: 12 of 100");
    const bodies = server.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(bodies[0]).toMatchObject({
      type: "modelswitch.gate",
      name: "judge",
      phase: "shift",
      when: "during",
    });
    expect(bodies[0]?.id).not.toBe(bodies[1]?.id);
  });

  test("remember over phases which pods were ready", async () => {
    let restarts = 0;
    const pods = (): Promise<PodsSeen> =>
      Promise.resolve({
        desired: 1,
        pods: [{ id: "uid-a", name: "a", ready: true, restarts, lastEnd: undefined }],
      });
    const { watch } = watching([{ ...base, kind: "pods", name: "pods" }], { pods });
    watch.enter({ ...fraud, phase: "verify" });
    await until(() => watch.verdict().kind === "pass");
    await watch.leave();
    restarts = 1;
    watch.enter(fraud);
    await until(() => watch.verdict().kind === "fail");
    await watch.leave();
  });

  test("remember over commands: one that was killed is gone on with", async () => {
    let restarts = 0;
    const pods = (): Promise<PodsSeen> =>
      Promise.resolve({
        desired: 1,
        pods: [{ id: "uid-a", name: "a", ready: true, restarts, lastEnd: undefined }],
      });
    const gates: Gate[] = [{ ...base, kind: "pods", name: "pods" }];
    let record: Record<string, unknown> = {};
    const killed = watching(
      gates,
      { pods },
      {
        onMemory: (name, memory) => {
          record = { ...record, [name]: memory };
        },
      },
    );
    killed.watch.enter(fraud);
    await until(() => killed.watch.verdict().kind === "pass");
    killed.stop.abort();
    await killed.watch.leave();
    expect(record).toEqual({ pods: { "uid-a": { name: "a", restarts: 0 } } });
    restarts = 1;
    const next = watching(gates, { pods }, { memories: JSON.parse(JSON.stringify(record)) });
    next.watch.enter(fraud);
    await until(() => next.watch.verdict().kind === "fail");
    await next.watch.leave();
  });

  test("that cannot read the pods hold until they can", async () => {
    const pods = () => Promise.reject(new Error("connection refused"));
    const { watch } = watching([{ ...base, kind: "pods", name: "pods" }], { pods });
    watch.enter(fraud);
    const evidence = "the pods cannot be read: connection refused";
    await until(() => watch.verdict().gates[0]?.evidence === evidence);
    expect(watch.verdict().kind).toBe("hold");
    await watch.leave();
  });

  test("that break in another way break what waits for them, too", async () => {
    const { watch } = watching([{ ...base, kind: "pods", name: "pods", phases: ["soak"] }]);
    const broken = watching(
      [
        {
          ...base,
          kind: "request",
          name: "answers",
          request: {
            ...{
              path: "/",
              method: "GET",
              headers: {},
              body: undefined,
              count: 1,
              allowed: 0,
              insecure: false,
            },
            timeoutMs: 1,
            expect: { status: 200, json: undefined, latencyMs: undefined },
          },
        },
      ],
      { ask: () => Promise.reject(new Error("a defect")) },
    );
    broken.watch.enter(fraud);
    await expect(until(() => broken.watch.verdict().kind !== "hold")).rejects.toThrow("a defect");
    await watch.leave();
  });
});

describe("a gate that is there by itself", () => {
  const own = (text: string) => script("own", text, { onInconclusive: "pass", byDefault: true });
  const holding = `echo '{"verdict":"hold"}'; exit 5`;

  test("is waited for until it has looked, and keeps no phase from its end; what it has not shown is said then", async () => {
    const { watch, looks } = watching([own(`sleep 0.1; ${holding}`)]);
    watch.enter(fraud);
    expect(watch.verdict().kind).toBe("hold");
    await until(() => looks.length > 0);
    expect(watch.verdict()).toMatchObject({ kind: "pass", gates: [{ isLetPass: true }] });
    await watch.leave({ isOver: true });
    expect(looks.at(-1)).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringMatching(/^not shown: /),
    });
  });

  test("sends a release back like any other", async () => {
    const { watch, looks } = watching([own("exit 3")]);
    watch.enter(fraud);
    await until(() => looks.length > 0);
    expect(watch.verdict().kind).toBe("fail");
    await watch.leave({ isOver: true });
    expect(looks).toHaveLength(1);
  });
});
