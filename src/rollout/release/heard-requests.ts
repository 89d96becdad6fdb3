import { isInterrupted } from "../../core/errors.ts";
import { isWayBack } from "../../core/rollout/state.ts";
import type { RolloutEvent } from "../../core/rollout/transition.ts";
import type { RolloutContext } from "../context/context.ts";
import type { LeaseRequest } from "../lock/lease-requests.ts";
import type { Lock } from "../lock/lock.ts";
import { recordEvents } from "../record/in-progress.ts";
import type { Journal } from "../record/journal.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { RolloutRequest } from "../record/rollouts.ts";

/** Versions up to 0.2 leave requests in the record alone, where looking costs more. */
const pollMs = 1_000;

/** What others ask of the command that holds the lock, as it comes: a wait ends at once. */
export class Hearing {
  /** Ends the hearing. */
  readonly stop: () => void;
  #heard: readonly LeaseRequest[] = [];
  #leadsBack = false;
  #bell = new AbortController();

  constructor(lock: Pick<Lock, "hear">) {
    this.stop = lock.hear((request) => {
      if (request.kind === "abort" && this.#leadsBack) return;
      this.#heard = [...this.#heard, request];
      const rung = this.#bell;
      this.#bell = new AbortController();
      rung.abort();
    });
  }

  /** Aborts when somebody asks for something from now on. */
  get bell(): AbortSignal {
    return this.#bell.signal;
  }

  /** What was asked and not taken yet. */
  get waiting(): readonly LeaseRequest[] {
    return this.#heard;
  }

  take(): readonly LeaseRequest[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  /**
   * Is told whether the rollout leads traffic back already: whoever needs the lock for a way back then asks for nothing more, and is never
   * to end this one. (An `abort` of a way back itself is in the record.)
   */
  see(leadsBack: boolean): void {
    this.#leadsBack = leadsBack;
    if (leadsBack) this.#heard = this.#heard.filter(({ kind }) => kind !== "abort");
  }

  /** Waits so long, or until somebody has asked for something that was not taken yet. */
  async pause(context: Pick<RolloutContext, "clock" | "signal">, ms: number): Promise<void> {
    if (this.#heard.length === 0) await sleepUntil(context, ms, this.bell);
  }
}

/** Sleeps so long, or until the bell rings. */
export async function sleepUntil(
  { clock, signal }: Pick<RolloutContext, "clock" | "signal">,
  ms: number,
  bell: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(ms, AbortSignal.any([signal, bell]));
  } catch (error) {
    if (signal.aborted || !bell.aborted) throw error;
  }
}

/** The record, with what others asked for applied to the rollout. The lock must be held. */
export async function hearRequests(
  context: RolloutContext,
  journal: Journal,
  hearing?: Hearing,
): Promise<RolloutRecord> {
  // Before the record is read: what is asked from here on rings again.
  const taken = hearing?.take() ?? [];
  const record = await context.store.read();
  const entry = record?.rollout;
  const leadsBack = entry !== undefined && isWayBack(entry.plan, entry.state);
  hearing?.see(leadsBack);
  const left = leadsBack ? [] : taken;
  const recorded = entry?.requests ?? [];
  const requests = [...recorded, ...left.flatMap(rolloutRequestOf)];
  if (record !== undefined && requests.length === 0) return record;
  const at = context.clock.now();
  const events = requests.map((request): RolloutEvent => eventOf(request, at));
  for (const { kind, by } of requests) {
    context.events({ type: "info", message: `${by} asked: ${kind}` });
    journal.note({ kind: "request", text: `${by}: ${kind}` });
  }
  return await recordEvents(context, events, journal, recorded.length);
}

/** A request in the Lease as one of the rollout. */
function rolloutRequestOf({ kind, by, at }: LeaseRequest): readonly RolloutRequest[] {
  switch (kind) {
    case "abort":
      return [{ kind, by, at }];
    // What is asked is in the record.
    case "look":
    case "hello":
      return [];
  }
}

function eventOf({ kind, by, phase }: RolloutRequest, at: number): RolloutEvent {
  switch (kind) {
    case "abort":
      return { kind, reason: `${by} aborted it`, at };
    case "approve":
      return { kind, phase: phase ?? "done" };
    case "pause":
    case "resume":
    case "promote":
    case "ignore-windows":
    case "now":
      return { kind };
  }
}

/**
 * Does work that may take long, and stops it when somebody asks for an abort, or the lock is lost: nobody should wait for the pods of
 * a release that is not wanted any more. `undefined`: it was stopped by an abort.
 * @throws UserError `lock-lost`
 */
export async function whileListening<T>(
  context: RolloutContext,
  { lock, hearing }: { readonly lock: Pick<Lock, "signal">; readonly hearing: Hearing },
  work: (context: RolloutContext) => Promise<T>,
): Promise<{ readonly result: T } | undefined> {
  const asked = new AbortController();
  const done = new AbortController();
  const listening = untilAbortAsked(context, hearing, done.signal)
    .then(() => asked.abort())
    .catch(() => undefined);
  const signal = AbortSignal.any([context.signal, lock.signal, asked.signal]);
  try {
    return { result: await work({ ...context, signal }) };
  } catch (error) {
    if (lock.signal.aborted) throw lock.signal.reason;
    if (context.signal.aborted) throw error;
    if (asked.signal.aborted) return undefined;
    throw error;
  } finally {
    done.abort();
    await listening;
  }
}

/**
 * Does work that only an abort may end early, by a signal that it is given: Ctrl-C waits for it. It is heard by the Lease alone, which costs
 * nothing. `undefined`: it was ended so.
 */
export async function unlessRecalled<T>(
  context: RolloutContext,
  hearing: Hearing,
  work: (recalled: AbortSignal) => Promise<T>,
): Promise<{ readonly result: T } | undefined> {
  const recalled = new AbortController();
  const done = new AbortController();
  const listening = untilRecalled(context, hearing, done.signal).then((isRecalled) => {
    if (isRecalled) recalled.abort();
  });
  try {
    return { result: await work(recalled.signal) };
  } catch (error) {
    if (recalled.signal.aborted && isInterrupted(error) && !context.signal.aborted) return undefined;
    throw error;
  } finally {
    done.abort();
    await listening;
  }
}

async function untilRecalled(context: RolloutContext, hearing: Hearing, done: AbortSignal): Promise<boolean> {
  while (!done.aborted) {
    const { bell } = hearing;
    if (await isAbortAsked(context, hearing, hearing.waiting.length > 0)) return true;
    const either = AbortSignal.any([bell, done]);
    await new Promise<void>((resolve) => {
      if (either.aborted) resolve();
      else either.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  return false;
}

/** Resolves when an abort was asked for, by the Lease or in the record; rejects with the signal. */
async function untilAbortAsked(context: RolloutContext, hearing: Hearing, done: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([context.signal, done]);
  let isFirst = true;
  for (;;) {
    const { bell } = hearing;
    // What the record had at first was heard before the step.
    if (await isAbortAsked(context, hearing, !isFirst || hearing.waiting.length > 0)) return;
    isFirst = false;
    await sleepUntil({ clock: context.clock, signal }, pollMs, bell);
  }
}

/** Whether an abort waits: one that the Lease said, or, where `looks` says so, one in the record. */
async function isAbortAsked(
  { store }: Pick<RolloutContext, "store">,
  { waiting }: Hearing,
  looks: boolean,
): Promise<boolean> {
  if (waiting.some(({ kind }) => kind === "abort")) return true;
  if (!looks) return false;
  // An API server that is away for a moment is asked again.
  const record = await store.read().catch(() => undefined);
  return record?.rollout?.requests.some(({ kind }) => kind === "abort") === true;
}
