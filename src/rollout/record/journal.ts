import type { GateVerdict } from "../../core/calls.ts";
import type { Clock } from "../../core/clock.ts";
import type { Event, EventSink } from "../../core/events.ts";
import { headline, shortened } from "../../core/headline.ts";
import type { Phase } from "../../core/rollout/state.ts";
import type { GateMemories } from "../../gates/watch.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { type GateLooked, mergedVerdicts, type RecordedVerdict, withLook } from "./verdicts.ts";

/**
 * Listens to what a command reports and keeps what belongs into the record: steps with their evidence, and warnings. What was
 * noted is written with the next change of the record.
 */
export class Journal {
  readonly #clock: Clock;
  readonly #startedAt = new Map<string, number>();
  #noted: JournalEntry[] = [];
  #memories: GateMemories | undefined;
  #verdicts: readonly RecordedVerdict[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An event sink that passes everything on. */
  listening(events: EventSink): EventSink {
    return (event) => {
      this.#hear(event);
      events(event);
    };
  }

  note(entry: Omit<JournalEntry, "at">): void {
    const { text, evidence, ...rest } = entry;
    this.#noted.push({
      at: new Date(this.#clock.now()).toISOString(),
      text: shortened(text),
      ...rest,
      ...(evidence === undefined || evidence === "" ? {} : { evidence: shortened(evidence) }),
    });
  }

  /** What a gate remembers: the next command goes on with it. */
  remember(name: string, memory: unknown): void {
    this.#memories = { ...this.#memories, [name]: memory };
  }

  /** What a gate said at one look. */
  looked(look: Omit<GateLooked, "at">): void {
    this.#verdicts = withLook(this.#verdicts, { at: new Date(this.#clock.now()).toISOString(), ...look });
  }

  /** Hands over what gates said that is not written yet. Whoever cannot write it gives it back. */
  takeVerdicts(): readonly RecordedVerdict[] {
    const taken = this.#verdicts;
    this.#verdicts = [];
    return taken;
  }

  giveBack(verdicts: readonly RecordedVerdict[]): void {
    this.#verdicts = mergedVerdicts(verdicts, this.#verdicts);
  }

  /** What gates remember that is not written yet; `undefined`: the record has it all. */
  get memories(): GateMemories | undefined {
    return this.#memories;
  }

  /** What is not written yet. */
  get noted(): readonly JournalEntry[] {
    return this.#noted;
  }

  /** Forgets what was written. */
  written(entries: readonly JournalEntry[], memories: GateMemories | undefined): void {
    if (this.#memories === memories) this.#memories = undefined;
    this.#noted = this.#noted.filter((entry) => !entries.includes(entry));
  }

  #hear(event: Event): void {
    // What has a name though it is no warning is the end of one.
    const isOfWarning = event.type === "warning" || (event.type === "info" && event.code !== undefined);
    if (isOfWarning) this.note({ kind: "warning", text: headline(event.message) });
    if (event.type !== "step" || event.parent !== undefined) return;
    if (event.state === "started") this.#startedAt.set(event.id, this.#clock.now());
    if (event.state !== "done" && event.state !== "failed") return;
    const startedAt = this.#startedAt.get(event.id);
    this.note({
      kind: "step",
      text: event.title,
      result: event.state,
      evidence: event.detail === undefined ? undefined : headline(event.detail),
      durationMs: startedAt === undefined ? undefined : this.#clock.now() - startedAt,
    });
  }
}

/** Tells everybody what a gate or a hook says, and keeps it for the report. */
export function sayVerdict(
  { events }: { readonly events: EventSink },
  journal: Journal,
  said: GateVerdict & { readonly from: "gate" | "hook"; readonly name: string; readonly phase: Phase },
): void {
  const { from, name, phase, verdict, evidence, data } = said;
  const what = from === "gate" ? "Gate" : "Hook";
  events({
    type: "verdict",
    from,
    name,
    phase,
    verdict,
    evidence,
    ...(data === undefined ? {} : { data }),
    message: `${what} ${name}: ${verdict}${evidence === "" ? "" : ` (${evidence})`}`,
  });
  journal.note({
    kind: from,
    text: `${name}, ${phase}`,
    ...(verdict === "hold" ? {} : { result: verdict }),
    evidence,
  });
}
