import { type GatePhase, type GatesVerdict, gatePhases } from "../../core/gates.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import type { GateWorld } from "../../core/rollout/world.ts";
import { withMissing } from "../../gates/lost-evidence.ts";
import { reasonOf } from "../../gates/reduce.ts";
import { GateWatch } from "../../gates/watch.ts";
import { callSubject } from "../context/call-subject.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { realSplitOf } from "../observe/real-split.ts";
import type { Journal } from "../record/journal.ts";
import { sayVerdict } from "../record/journal.ts";
import type { RolloutRecord } from "../record/record.ts";
import { memoriesOf, type RolloutRecordEntry } from "../record/rollouts.ts";
import { gateIo, type Seen } from "./gate-io.ts";

const never = new Promise<void>(() => undefined);
const quiet: GateWorld = { verdict: "pass", reason: "" };

/** Has the gates of the configuration look at a release while it is verified, shifted and soaked. */
export class PhaseGates {
  readonly #context: RolloutContext;
  readonly #journal: Journal;
  #seen: Seen | undefined;
  #watch: GateWatch | undefined;
  #news: Promise<void> = never;
  /** How often there was a reason not to look, a proof among them. */
  #pauses = 0;

  constructor(context: RolloutContext, journal: Journal) {
    this.#context = context;
    this.#journal = journal;
  }

  /** What the gates say at this moment of the phase and step that is in force. */
  async see(record: RolloutRecord, seen: Omit<Seen, "record" | "slot">): Promise<GateWorld> {
    const entry = record.rollout;
    const phase = entry === undefined ? undefined : watchedPhase(entry.state);
    if (entry === undefined || phase === undefined || !entry.plan.gates) {
      this.#pauses += 1;
      await this.#watch?.leave({ isOver: entry?.state.direction === "forward" });
      return quiet;
    }
    this.#seen = { ...seen, record, slot: entry.state.target };
    this.#watch ??= this.#open(entry);
    const { router } = locationOf(this.#context, record);
    // Requests are counted as they really come.
    const split = realSplitOf(router, seen.routing, seen.observation);
    this.#watch.enter({ ...callSubject(this.#context, record, entry, seen.routing), split, phase });
    this.#news = this.#watch.news();
    const verdict = this.#watch.verdict();
    const { kind, onInconclusive } = verdict;
    return { verdict: kind, onInconclusive, reason: reasonOf(verdict), isShown: this.#isShown(verdict) };
  }

  /** What is let pass has shown nothing. */
  #isShown({ kind, gates }: GatesVerdict): boolean {
    const comparing = this.#context.config.rollout.gates.filter((gate) => gate.kind === "traffic");
    const said = gates.filter(({ name }) => comparing.some((gate) => gate.name === name));
    return kind === "pass" && said.length > 0 && gates.every(({ isLetPass }) => isLetPass !== true);
  }

  /** Settles when a gate has looked since they were asked last. */
  news(): Promise<void> {
    return this.#news;
  }

  async leave(): Promise<void> {
    await this.#watch?.leave();
  }

  #open(entry: RolloutRecordEntry): GateWatch {
    const context = this.#context;
    return new GateWatch({
      io: gateIo(
        context,
        () => {
          if (this.#seen === undefined) throw new Error("Gates look after the executor did.");
          return this.#seen;
        },
        () => this.#pauses,
      ),
      gates: context.config.rollout.gates,
      signal: context.signal,
      memories: withMissing(context.config.rollout.gates, memoriesOf(entry), lookedIn(entry)),
      onMemory: (name, memory) => this.#journal.remember(name, memory),
      onLook: ({ name, ...look }, { slot, split, stepIndex, phase }) => {
        const step = phase === "shift" ? stepIndex : null;
        this.#journal.looked({ gate: name, ...look, step, weight: split[slot] });
      },
      onVerdict: (look) => sayVerdict(context, this.#journal, { from: "gate", ...look }),
    });
  }
}

/** The gates that have looked at a release already. */
function lookedIn({ verdicts = [] }: RolloutRecordEntry): readonly string[] {
  return verdicts.filter(({ looks }) => looks > 0).map(({ gate }) => gate);
}

/** The phase that gates watch now: once what it asks for was proved, and as long as nobody has promoted the release. */
function watchedPhase(state: RolloutState): GatePhase | undefined {
  const { phase, stage, direction, proved, promoted } = state;
  if (direction === "back" || stage !== "during") return undefined;
  const found = gatePhases.find((one) => one === phase);
  if (found === "verify") return proved ? found : undefined;
  if (promoted) return undefined;
  return found === "soak" || proved ? found : undefined;
}
