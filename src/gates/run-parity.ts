import type { GateVerdict } from "../core/calls.ts";
import { type AskingIo, askPairs } from "./parity/ask.ts";
import { judgeParity } from "./parity/judge.ts";
import { nothing, type ParityMemory } from "./parity/memory.ts";
import type { ParitySettings } from "./parity.ts";
import { unclearLooks } from "./reduce.ts";

export interface ParityRun {
  readonly io: AskingIo;
  readonly settings: ParitySettings;
  /** Decides in which order is asked. */
  readonly seed: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** After each look; throws where it makes no sense to go on. */
  readonly onLook: (
    said: GateVerdict,
    asked: { readonly done: number; readonly total: number },
  ) => Promise<void>;
}

/** Parity outside a rollout: looks until it has a verdict, or no more time. */
export async function runParity(run: ParityRun): Promise<GateVerdict> {
  const { io, settings, seed, signal } = run;
  const { clock } = io.calls;
  const until = clock.now() + run.deadlineMs;
  let memory: ParityMemory = nothing;
  let unclear = 0;
  for (;;) {
    const sample = await askPairs(io, memory, settings, seed, signal, Math.max(1, until - clock.now()));
    const judged = judgeParity(memory, sample, settings);
    memory = judged.memory;
    const said = judged.verdict;
    if (sample.kind === "pairs") {
      const total = sample.draw.inputs.length;
      await run.onLook(said, { done: memory.next - memory.again.length, total });
    }
    unclear = said.verdict === "inconclusive" ? unclear + 1 : 0;
    if (said.verdict === "pass" || said.verdict === "fail" || unclear >= unclearLooks) return said;
    if (clock.now() >= until) {
      const seconds = Math.round(run.deadlineMs / 1000);
      return {
        ...said,
        verdict: "inconclusive",
        evidence: `not decided within ${seconds} s: ${said.evidence}`,
      };
    }
    await clock.sleep(sample.kind === "paused" ? 5_000 : said.verdict === "inconclusive" ? 1_000 : 0, signal);
  }
}
