import type { GateVerdict } from "../core/calls.ts";
import type { GatesVerdict } from "../core/gates.ts";
import type { GateIo, GateSubject } from "./io.ts";
import { type Gate, lookOnce } from "./kinds.ts";
import { combined, type GateMemory, heard, nothingHeard, notShown, standing } from "./reduce.ts";

/** One look of a gate: what was said, of which rollout. */
export interface GateLook extends GateVerdict {
  readonly name: string;
  readonly phase: GateSubject["phase"];
}

/** What a gate says as a whole after a look. */
export interface WholeLook extends GateLook {
  /** 0: it did not look again. @default 1 */
  readonly looks?: 0;
  /** It cannot tell, and the release goes on all the same. */
  readonly isLetPass?: true;
}

export interface GateWatchOptions {
  readonly io: GateIo;
  readonly gates: readonly Gate[];
  /** Ends every look when it aborts. */
  readonly signal: AbortSignal;
  /** Called when what a gate says as a whole changes; when only its evidence does, at the most once a minute. */
  readonly onVerdict?: (look: GateLook) => void;
  /** Called after every look, with what the gate says as a whole and the data of this look; and with what is not shown at the end. */
  readonly onLook?: (look: WholeLook, subject: GateSubject) => void;
  /** What gates of an earlier watch of the same rollout remembered, by name. @default nothing */
  readonly memories?: GateMemories | undefined;
  /** Called when a gate remembers something else than before. */
  readonly onMemory?: (name: string, memory: unknown) => void;
}

/** What gates remember over all phases of a rollout, by name: plain JSON. */
export type GateMemories = Readonly<Record<string, unknown>>;

const newsEveryMs = 60_000;

interface Watched {
  readonly key: string;
  readonly phase: GateSubject["phase"];
  readonly subject: GateSubject;
  readonly stop: AbortController;
  readonly gates: readonly Gate[];
  readonly memories: Map<string, GateMemory>;
  readonly done: Promise<void>;
}

/**
 * Looks at gates, each at its own pace, while a phase or a step of the shift lasts. What they say starts anew with each; what a
 * kind of gate remembers goes on through all of them, and through all commands that work on the rollout.
 */
export class GateWatch {
  readonly #options: GateWatchOptions;
  #watched: Watched | undefined;
  #memories: GateMemories;
  #failure: unknown;
  #news = news();

  constructor(options: GateWatchOptions) {
    this.#options = options;
    this.#memories = options.memories ?? {};
  }

  /** Begins to look, unless it is looking at just this phase and step already. */
  enter(subject: GateSubject): void {
    const key = JSON.stringify([
      subject.release,
      subject.startedAt,
      subject.direction,
      subject.phase,
      subject.stepIndex,
      subject.split.blue,
    ]);
    if (this.#watched?.key === key) return;
    void this.leave({ isOver: true });
    const gates = this.#options.gates.filter(({ phases }) => phases.includes(subject.phase));
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#options.signal]);
    const memories = new Map<string, GateMemory>();
    const looking = gates.map((gate) => this.#look(gate, subject, memories, signal));
    this.#watched = {
      key,
      phase: subject.phase,
      subject,
      stop,
      gates,
      memories,
      done: Promise.all(looking).then(() => undefined),
    };
  }

  /**
   * Ends all looks, and waits until programs that were asked are gone. `isOver`: the phase or step has had its time, so that what gates which
   * are there by themselves have not shown is said.
   */
  async leave({ isOver = false } = {}): Promise<void> {
    const watched = this.#watched;
    this.#watched = undefined;
    if (isOver && watched !== undefined) this.#tellNotShown(watched);
    watched?.stop.abort();
    await watched?.done;
  }

  /**
   * What the gates of the phase say together, now. Before `enter` and without gates: pass.
   * @throws what a look threw that is no verdict
   */
  verdict(): GatesVerdict {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#watched === undefined) return combined([]);
    const { gates, memories } = this.#watched;
    const now = this.#options.io.calls.clock.now();
    return combined(
      gates.map((gate) => ({
        name: gate.name,
        onInconclusive: gate.onInconclusive,
        // It has to have looked; one that may fail at its next look is waited for.
        ...(gate.byDefault === undefined || !isUndecided(memories.get(gate.name)) ? {} : { byDefault: true }),
        ...standing(gate, memories.get(gate.name) ?? nothingHeard, now),
      })),
    );
  }

  /** Settles when a gate looks the next time. */
  news(): Promise<void> {
    return this.#news.promise;
  }

  #tellNotShown({ phase, subject, gates, memories }: Watched): void {
    const now = this.#options.io.calls.clock.now();
    for (const gate of gates) {
      if (gate.byDefault !== true) continue;
      const whole = standing(gate, memories.get(gate.name) ?? nothingHeard, now);
      if (whole.verdict === "pass" || whole.verdict === "fail") continue;
      const evidence = notShown(whole.evidence);
      const said = { ...whole, name: gate.name, phase, verdict: "inconclusive", evidence } as const;
      this.#options.onLook?.({ ...said, looks: 0, isLetPass: true }, subject);
      this.#options.onVerdict?.(said);
    }
  }

  #tellNews(): void {
    this.#news.tell();
    this.#news = news();
  }

  async #look(
    gate: Gate,
    subject: GateSubject,
    memories: Map<string, GateMemory>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options.io.calls;
    let told: { readonly key: string; readonly evidence: string; readonly at: number } | undefined;
    try {
      while (!signal.aborted) {
        const looking = { io: this.#options.io, memory: this.#memories[gate.name] };
        const { said, memory: remembered } = await lookOnce(looking, gate, subject, signal);
        if (signal.aborted) return;
        this.#remember(gate.name, remembered);
        const memory = heard(gate, memories.get(gate.name) ?? nothingHeard, said, clock.now());
        memories.set(gate.name, memory);
        this.#tellNews();
        const whole = standing(gate, memory, clock.now());
        this.#options.onLook?.(lookOf(gate, subject, whole, said), subject);
        const key = `${whole.verdict} after ${said.verdict}`;
        const isNews = whole.verdict !== "pass" && whole.evidence !== told?.evidence;
        const at = clock.now();
        if (key !== told?.key || (isNews && at - told.at >= newsEveryMs)) {
          this.#options.onVerdict?.({ name: gate.name, phase: subject.phase, ...whole });
          told = { key, evidence: whole.evidence, at };
        }
        // It has failed: nothing that it says later is of interest.
        if (memory.failed !== undefined) return;
        await clock.sleep(gate.everyMs, signal);
      }
    } catch (error) {
      // What ends because it was stopped says nothing.
      if (signal.aborted) return;
      this.#failure ??= error;
      this.#tellNews();
    }
  }

  #remember(name: string, memory: unknown): void {
    if (JSON.stringify(memory) === JSON.stringify(this.#memories[name])) return;
    this.#memories = { ...this.#memories, [name]: memory };
    this.#options.onMemory?.(name, memory);
  }
}

/** A look for the record: an opinion that does not count yet has its numbers all the same. */
function lookOf(
  { name, onInconclusive }: Gate,
  { phase }: GateSubject,
  whole: GateVerdict,
  { data = whole.data }: GateVerdict,
): WholeLook {
  const isLetPass = whole.verdict === "inconclusive" && onInconclusive === "pass";
  return {
    name,
    phase,
    ...whole,
    ...(data === undefined ? {} : { data }),
    ...(isLetPass ? { isLetPass } : {}),
  };
}

function isUndecided(memory: GateMemory | undefined): boolean {
  const verdict = memory?.last?.verdict;
  return verdict === "hold" || verdict === "inconclusive";
}

function news(): { readonly promise: Promise<void>; readonly tell: () => void } {
  let tell = () => {};
  const promise = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { promise, tell: () => tell() };
}
