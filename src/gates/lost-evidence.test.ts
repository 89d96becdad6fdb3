import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { GateIo, GateSubject } from "./io.ts";
import { lookBy } from "./kind.ts";
import { withMissing } from "./lost-evidence.ts";

interface Settings {
  readonly alpha?: number;
}
const base = { name: "a", phases: ["verify"], everyMs: 1, failures: 1, onInconclusive: "hold" } as const;
const alphas: (number | undefined)[] = [];
const look = lookBy<Settings, number, { readonly looks: number }>({
  remembers: { nothing: { looks: 0 }, schema: z.object({ looks: z.int() }) },
  ask: () => Promise.resolve(1),
  judge: ({ looks }, more, { alpha }) => {
    alphas.push(alpha);
    return {
      verdict: { verdict: "hold", evidence: `${looks + more} looks` },
      memory: { looks: looks + more },
    };
  },
});
const looked = async (memory: unknown, settings: Settings = { alpha: 0.05 }) =>
  await look(
    { io: {} as GateIo, memory: memory === undefined ? undefined : JSON.parse(JSON.stringify(memory)) },
    { ...base, ...settings },
    {} as GateSubject,
    new AbortController().signal,
  );

describe("evidence that is lost", () => {
  test("goes on with the same alpha where it can be read", async () => {
    alphas.length = 0;
    const { memory } = await looked(undefined);
    expect(memory).toEqual({ looks: 1 });
    expect(await looked(memory)).toEqual({
      memory: { looks: 2 },
      said: { verdict: "hold", evidence: "2 looks" },
    });
    expect(alphas).toEqual([0.05, 0.05]);
  });

  test("begins anew with half of alpha, then a quarter, and says so", async () => {
    alphas.length = 0;
    const first = await looked({ counts: "of another version" });
    expect(first).toEqual({
      memory: { lostEvidence: 1, since: { looks: 0 } },
      said: { verdict: "inconclusive", evidence: expect.stringContaining("1 restart with lost evidence") },
    });
    const then = await looked(first.memory);
    expect(then).toMatchObject({
      memory: { lostEvidence: 1, since: { looks: 1 } },
      said: {
        verdict: "hold",
        evidence:
          "1 looks; 1 restart with lost evidence: this gate sends a good release back with at most 7.5 %, not 5 %",
        data: { lostEvidence: 1 },
      },
    });
    const again = await looked({ lostEvidence: 1, since: "broken" });
    expect(again.said.evidence).toContain("2 restarts with lost evidence");
    await looked(again.memory);
    expect(alphas).toEqual([0.025, 0.0125]);
  });

  test("costs nothing where nothing is judged by chance", async () => {
    const settings = {};
    expect(await looked("broken", settings)).toEqual({
      memory: { looks: 1 },
      said: { verdict: "hold", evidence: "1 looks" },
    });
  });

  test("is missed where a gate has looked and the record has nothing of it", async () => {
    const gates = [
      { name: "a", alpha: 0.05 },
      { name: "b", alpha: 0.05 },
      { name: "c" },
      { name: "d", alpha: 0.05 },
    ];
    const memories = withMissing(gates, { b: { looks: 3 } }, ["a", "b", "c"]);
    expect(Object.keys(memories).toSorted()).toEqual(["a", "b"]);
    expect((await looked(memories.a)).said.verdict).toBe("inconclusive");
    expect(memories.b).toEqual({ looks: 3 });
  });
});
