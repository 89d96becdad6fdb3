import { messageAndHint, UserError } from "../core/errors.ts";
import { writeExact } from "../core/exact-json.ts";
import { requestFor, type Said, saidBy } from "./ask-model.ts";
import type { Asking } from "./asking.ts";
import type { GoldenCase } from "./cases/case.ts";
import { loaded } from "./cases/comparator.ts";
import { answersDiffer, labelled } from "./cases/compare.ts";
import { paused, strainOf, unknownLive, withLiveAnswer } from "./live-care.ts";
import { withMask } from "./mask.ts";
import { noAnswer } from "./no-answer.ts";
import type { AskingIo } from "./parity/ask.ts";

export interface GoldenRecording {
  readonly io: AskingIo;
  readonly asking: Asking;
  readonly cases: readonly GoldenCase[];
  /** Requests a second to the live slot, at most. */
  readonly pace: number;
  readonly signal: AbortSignal;
  readonly onCase: (done: number) => Promise<void>;
  readonly onPause: (why: string) => void;
}

/** A case that is not in the file, and why. */
export interface LeftOut {
  readonly id: string;
  readonly why: string;
}

export interface GoldenRecorded {
  /** JSON Lines. */
  readonly lines: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Asks live twice with each input: what it answers the same way both times is what is expected from now on. Fields that are masked are masked
 * before live is asked, so that the file is about what it says.
 */
export async function recordGolden(recording: GoldenRecording): Promise<GoldenRecorded> {
  const { io, cases, signal } = recording;
  const comparison = await loaded(io.calls.folder, recording.asking.comparison);
  const asking = { ...recording.asking, comparison };
  const { clock } = io.calls;
  const lines: string[] = [];
  const leftOut: LeftOut[] = [];
  let care = unknownLive;
  let nextAt = 0;
  const ask = async (input: unknown): Promise<Said> => {
    const now = clock.now();
    if (nextAt > now) await clock.sleep(nextAt - now, signal);
    nextAt = Math.max(now, nextAt) + 1000 / recording.pace;
    const outcome = await io.ask({ route: "live", ...requestFor(asking, input), signal });
    if (outcome.kind !== "unreachable") {
      const isAnswer = outcome.kind === "answer" && outcome.answer.status < 500;
      care = withLiveAnswer(care, isAnswer ? outcome.latencyMs : undefined);
      const strain = strainOf(care);
      if (strain !== undefined) {
        recording.onPause(strain);
        care = paused(care, clock.now());
        await clock.sleep((care.pausedUntil ?? 0) - clock.now(), signal);
      }
    }
    return saidBy(asking, outcome);
  };
  for (const [index, { id, input: given, segment }] of cases.entries()) {
    const input = withMask(given, asking.mask.input);
    try {
      const said = await twice(asking, () => ask(input));
      if (said.kind === "value") {
        const expected = labelled(asking.comparison, said.value);
        lines.push(writeExact({ id, input, expected, ...(segment === undefined ? {} : { segment }) }));
      } else leftOut.push({ id, why: said.why });
    } catch (error) {
      // A mask may have made an input none.
      if (!(error instanceof UserError) || signal.aborted) throw error;
      leftOut.push({ id, why: messageAndHint(error) });
    }
    await recording.onCase(index + 1);
  }
  return { lines, leftOut };
}

async function twice(asking: Asking, ask: () => Promise<Said>): Promise<Said> {
  const first = await ask();
  if (first.kind !== "value") return first;
  const nothing = noAnswer(asking, first.value ?? undefined);
  if (nothing !== undefined) return { kind: "broken", why: nothing };
  const second = await ask();
  if (second.kind !== "value") return second;
  const why = answersDiffer(asking.comparison, first.value, second.value);
  if (why === undefined) return first;
  return {
    kind: "broken",
    why: "live answers otherwise when it is asked again: choose a comparison that allows it",
  };
}
