import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callIo, subject as fraud } from "../calls/calls.fixture.ts";
import { systemClock } from "../core/clock.ts";
import { gatePhases } from "../core/gates.ts";
import type { Block } from "../core/statistics/block.ts";
import { type CountedSlot, nothingSent } from "../core/statistics/counted.ts";
import type { GateIo, GateSubject, IngressRequest } from "./io.ts";
import { type Gate, type GateForm, gateSettings, lookOnce } from "./kinds.ts";

/** A command may be killed within any look: whoever goes on has what the looks before have seen, and no more and no less alpha. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-killed-"));
  const lines = Array.from({ length: 400 }, (_, x) => JSON.stringify({ input: x / 400, expected: x / 400 }));
  await writeFile(join(folder, "cases.jsonl"), `${lines.join("\n")}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

const subject: GateSubject = { ...fraud, phase: "verify", stepIndex: 0, split: { blue: 50, green: 50 } };
const gateOf = (form: GateForm): Gate =>
  ({
    ...{ name: "gate", phases: gatePhases, everyMs: 1000, failures: 1, onInconclusive: "hold" },
    ...gateSettings(form, 10),
  }) as Gate;
const through = (memory: unknown) =>
  memory === undefined ? undefined : (JSON.parse(JSON.stringify(memory)) as unknown);

/** A command's world: answers that depend on the input alone, and a clock that passes when somebody waits. Killed at its nth question. */
function world(killedAt = Number.POSITIVE_INFINITY): GateIo {
  let now = 1_000_000;
  let asked = 0;
  const clock = {
    ...systemClock,
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  return {
    calls: callIo({ clock, folder }),
    ask: ({ body, route }: IngressRequest) => {
      asked += 1;
      if (asked >= killedAt) return Promise.reject(new Error("killed"));
      const x = JSON.parse(body ?? "0") as number;
      const answer = route === "release" && Math.round(400 * x) % 50 === 3 ? -1 : x;
      const value = { status: 200, body: JSON.stringify(answer) };
      return Promise.resolve({ kind: "answer", answer: value, latencyMs: 10 + (Math.round(400 * x) % 7) });
    },
  } as unknown as GateIo;
}

const asking = { cases: "cases.jsonl", path: "/predict" } as const;

describe("a gate that asks both slots, killed within each of its looks", () => {
  test.each<[string, GateForm]>([
    ["parity", { parity: { ...asking, pace: 8 } }],
    ["labels", { labels: { ...asking, pace: 8 } }],
    ["drift", { drift: { ...asking, pace: 8 } }],
    ["performance", { performance: { ...asking, rate: 8 } }],
    ["golden", { golden: asking }],
  ])("%s has the same evidence and says the same as one that was not", async (_kind, form) => {
    const gate = gateOf(form);
    const { signal } = new AbortController();
    let whole: unknown;
    let killed: unknown;
    for (let look = 0; look < 8; look++) {
      const once = await lookOnce({ io: world(), memory: through(whole) }, gate, subject, signal);
      for (const killedAt of [1, 5]) {
        const dying = lookOnce({ io: world(killedAt), memory: through(killed) }, gate, subject, signal);
        await dying.catch(() => undefined);
      }
      const again = await lookOnce({ io: world(), memory: through(killed) }, gate, subject, signal);
      expect(again).toEqual(once);
      [whole, killed] = [once.memory, again.memory];
    }
    expect(JSON.stringify(killed)).not.toContain("lostEvidence");
  });
});

describe("a gate that reads counters, killed between two of its looks", () => {
  const counted = (requests: number, errors: number): CountedSlot => ({
    requests,
    errors,
    latencies: { bounds: [], counts: [] },
  });
  type Kept = {
    readonly live: {
      readonly metrics: { readonly errors: { readonly inAll: Block; readonly fail: object } };
    };
  };

  test.each<[string, GateForm]>([
    ["traffic", { traffic: { latency: false } }],
    ["shadow", { shadow: { latency: false } }],
  ])("%s goes on with what was counted, and leaves out the block that was open", async (_kind, form) => {
    const gate = gateOf(form);
    let memory: unknown;
    let look = 0;
    const looked = async (era: string) => {
      const io = {
        counters: () =>
          Promise.resolve({
            ...{ kind: "read", atMs: look * 10_000, controller: "Traefik", where: "here", era },
            slots: { blue: counted(500 * look, 5 * look), green: counted(500 * look, 10 * look) },
            own: { blue: nothingSent, green: nothingSent },
            ...{ isDisturbed: false, isShareChecked: true, longestRequestMs: 0, steps: 1, share: 0.5 },
          }),
      } as unknown as GateIo;
      const { said, memory: next } = await lookOnce(
        { io, memory: through(memory) },
        gate,
        { ...subject, phase: "shift" },
        new AbortController().signal,
      );
      memory = next;
      look += 1;
      return said;
    };
    for (const command of ["one", "two", "three"]) {
      const before = memory as Kept | undefined;
      await looked(command);
      // Its first reading begins a block: what another command had sent within the open one is not known.
      if (before !== undefined) expect((memory as Kept).live).toEqual(before.live);
      await looked(command);
      await looked(command);
    }
    const said = await looked("three");
    expect((memory as Kept).live.metrics.errors.inAll).toMatchObject({
      newRequests: 3_500,
      newEvents: 70,
      liveEvents: 35,
    });
    expect(said.data).toMatchObject({ metrics: [expect.objectContaining({ alpha: 0.05 })] });
    expect(JSON.stringify(memory)).not.toContain("lostEvidence");
  });
});
