import type { RolloutEvent } from "../../core/rollout/transition.ts";
import type { RolloutContext } from "../context.ts";
import type { RolloutRecord } from "../record.ts";
import type { RolloutRequest } from "../record-rollouts.ts";
import { recordEvents } from "./entry.ts";
import type { Journal } from "./journal.ts";

const pollMs = 1_000;

/** The record, with what others asked for applied to the rollout. The lock must be held. */
export async function hearRequests(context: RolloutContext, journal: Journal): Promise<RolloutRecord> {
  const record = await context.store.read();
  const requests = record?.rollout?.requests ?? [];
  if (record !== undefined && requests.length === 0) return record;
  const at = context.clock.now();
  const events = requests.map((request): RolloutEvent => eventOf(request, at));
  for (const { kind, by } of requests) {
    context.events({ type: "info", message: `${by} asked: ${kind}` });
    journal.note({ kind: "request", text: `${by}: ${kind}` });
  }
  return await recordEvents(context, events, journal, requests.length);
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
 * Does work that may take long, and stops it when somebody asks for an abort: nobody should wait for the pods of a release that is
 * not wanted any more. `undefined`: it was stopped so.
 */
export async function whileListening<T>(
  context: RolloutContext,
  work: (context: RolloutContext) => Promise<T>,
): Promise<{ readonly result: T } | undefined> {
  const asked = new AbortController();
  const done = new AbortController();
  const listening = (async () => {
    const signal = AbortSignal.any([context.signal, done.signal]);
    for (;;) {
      await context.clock.sleep(pollMs, signal);
      // An API server that is away for a moment is asked again.
      const record = await context.store.read().catch(() => undefined);
      if (record?.rollout?.requests.some(({ kind }) => kind === "abort")) break;
    }
    asked.abort();
  })().catch(() => undefined);
  try {
    return { result: await work({ ...context, signal: AbortSignal.any([context.signal, asked.signal]) }) };
  } catch (error) {
    if (asked.signal.aborted && !context.signal.aborted) return undefined;
    throw error;
  } finally {
    done.abort();
    await listening;
  }
}
