import { z } from "zod";
import { tied } from "../../config/parts/tied.ts";

const journalKinds = ["phase", "step", "hook", "gate", "request", "warning"] as const;
const journalResults = ["done", "failed", "pass", "fail", "inconclusive"] as const;

/** What happened in a rollout, for the report: a step with its evidence, a phase that began, what somebody asked, a warning. */
export interface JournalEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: (typeof journalKinds)[number];
  /** What it was, in words. */
  readonly text: string;
  readonly result?: (typeof journalResults)[number] | undefined;
  /** The line of evidence. */
  readonly evidence?: string | undefined;
  readonly durationMs?: number | undefined;
}

/** How long a journal gets before what comes later replaces its oldest steps. */
const keptEntries = 120;

/** A journal with more in it. Pure. */
export function withEntries(
  journal: readonly JournalEntry[],
  more: readonly JournalEntry[],
): readonly JournalEntry[] {
  const all = [...journal];
  for (const entry of more) {
    // A gate that still holds has nothing new to say.
    const last = all.findLastIndex(({ kind, text }) => kind === entry.kind && text === entry.text);
    const isStill =
      entry.kind === "gate" && entry.result === undefined && last >= 0 && all[last]?.result === undefined;
    if (isStill) all[last] = entry;
    else all.push(entry);
  }
  // Who did what and when always stays, and the beginning: it says what it was about.
  let surplus = all.length - keptEntries;
  return all.filter(({ kind }, index) => {
    const stays = surplus <= 0 || index < 20 || kind === "phase" || kind === "request";
    if (!stays) surplus -= 1;
    return stays;
  });
}

/** Its shape in the stored record. */
export const journalEntry = tied<JournalEntry>()(
  z.object({
    at: z.string(),
    kind: z.enum(journalKinds),
    text: z.string(),
    result: z.enum(journalResults).optional(),
    evidence: z.string().optional(),
    durationMs: z.number().optional(),
  }),
);
