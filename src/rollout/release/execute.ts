import { exitCodes, interrupted, UserError } from "../../core/errors.ts";
import { type Action, next } from "../../core/rollout/next.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import type { RolloutEvent } from "../../core/rollout/transition.ts";
import type { RolloutContext } from "../context.ts";
import type { Lock } from "../lock.ts";
import type { ModelStack } from "../program.ts";
import type { RolloutRecord, RolloutRecordEntry } from "../record.ts";
import { waitForSlot } from "../slot-wait.ts";
import { locationOf } from "../subject.ts";
import { describeTraffic, unstoppable } from "../traffic.ts";
import { act } from "./act.ts";
import { recordEvents, requireInProgress } from "./entry.ts";
import { look, ReadyTimes } from "./look.ts";

/** How a command's work on a rollout ended. */
export type RolloutEnd =
  | { readonly kind: "finished"; readonly state: RolloutState; readonly failure: UserError | undefined }
  | { readonly kind: "paused"; readonly state: RolloutState }
  /** All traffic is on the target; the old slot stays until then for a rollback in one step. */
  | { readonly kind: "live"; readonly state: RolloutState; readonly until: number };

/** How long a wait is at the most before everything is looked at again: requests of others are heard then. */
const lookEveryMs = 1_000;

/**
 * Takes a rollout to its end: looks at the world, takes one step, records it, and looks again. Whatever was remembered wrongly, or
 * changed meanwhile, is seen before the next step. The lock must be held.
 */
export async function execute(context: RolloutContext, lock: Lock): Promise<RolloutEnd> {
  const times = new ReadyTimes();
  // The stack outlives the user's stop: a write that has begun is finished.
  let opened: Promise<ModelStack> | undefined;
  const stack = () => {
    opened ??= context.openStack(unstoppable);
    return opened;
  };
  let failure: UserError | undefined;
  let phase: string | undefined;
  for (;;) {
    await lock.check();
    const record = await hearRequests(context);
    const entry = entryOf(context, record);
    if (entry.state.phase === "done") return { kind: "finished", state: entry.state, failure };
    phase = announce(context, entry.state, phase);
    const { world, observation } = await look(context, record, times);
    const action = next(entry.plan, entry.state, world);
    if (context.signal.aborted) throw stopped(world.routing, entry.state);
    const take = async (): Promise<RolloutEvent | RolloutEnd | undefined> => {
      switch (action.kind) {
        case "complete":
          return { kind: "completed", at: context.clock.now() };
        case "rest":
          return action.why === "paused"
            ? { kind: "paused", state: entry.state }
            : { kind: "finished", state: entry.state, failure };
        case "blocked":
          throw blocked(context, action.reason, entry.state);
        case "wait":
          return await wait(context, record, entry, action);
        case "deploy":
        case "warm-up":
        case "verify":
        case "route":
        case "prove":
        case "scale-down":
          return await act(
            { context, record, state: entry.state, observation, routing: world.routing, lock, stack },
            action,
          );
      }
    };
    let taken: RolloutEvent | RolloutEnd | undefined;
    try {
      taken = await take();
    } catch (error) {
      const reason = abortReason(error, entry.state);
      if (reason === undefined) {
        if (error instanceof UserError && error.code === "interrupted")
          throw stopped(world.routing, entry.state);
        throw error;
      }
      failure = reason;
      context.events({
        type: "warning",
        code: "rollout-aborts",
        message: `The rollout goes back: ${reason.message}`,
      });
      taken = { kind: "abort", reason: firstLine(reason.message), at: context.clock.now() };
    }
    if (taken === undefined) continue;
    if (isEnd(taken)) return taken;
    await recordEvents(context, [taken]);
  }
}

function isEnd(taken: RolloutEvent | RolloutEnd): taken is RolloutEnd {
  return taken.kind === "finished" || taken.kind === "paused" || taken.kind === "live";
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}

/** The record, with what others asked for applied to the rollout. The lock must be held. */
export async function hearRequests(context: RolloutContext): Promise<RolloutRecord> {
  const record = await context.store.read();
  const requests = record?.rollout?.requests ?? [];
  if (record !== undefined && requests.length === 0) return record;
  const at = context.clock.now();
  const events = requests.map(
    ({ kind, by }): RolloutEvent => (kind === "abort" ? { kind, reason: `${by} aborted it`, at } : { kind }),
  );
  for (const { kind, by } of requests) context.events({ type: "info", message: `${by} asked: ${kind}` });
  await recordEvents(context, events, requests.length);
  const heard = await context.store.read();
  if (heard === undefined) throw new Error("The record was written a moment ago.");
  return heard;
}

function entryOf(context: RolloutContext, record: RolloutRecord): RolloutRecordEntry {
  return record.rollout ?? requireInProgress(context, record);
}

function announce(context: RolloutContext, state: RolloutState, before: string | undefined): string {
  const now = `${state.direction} ${state.phase} ${state.stepIndex}`;
  if (now !== before) {
    context.events({
      type: "info",
      message: `Phase ${state.phase}${state.direction === "back" ? ", on the way back" : ""}`,
    });
  }
  return now;
}

async function wait(
  context: RolloutContext,
  record: RolloutRecord,
  { plan, state }: RolloutRecordEntry,
  action: Extract<Action, { kind: "wait" }>,
): Promise<RolloutEnd | undefined> {
  if (action.for === "readiness" && plan.readiness === "all") {
    await waitForSlot(context, locationOf(context, record), action.slot);
    return undefined;
  }
  if (action.for === "readiness" && context.clock.now() - state.since > context.config.deadlines.readyMs) {
    throw new UserError({
      code: "slot-not-ready",
      message: `${action.slot} has no ready pod, so it cannot take the traffic back.`,
      hint: "`modelswitch status` shows what is wrong with it.",
    });
  }
  if (action.for === "rollback-window") {
    return { kind: "live", state, until: action.until ?? context.clock.now() };
  }
  const left = (action.until ?? Number.POSITIVE_INFINITY) - context.clock.now();
  await context.clock.sleep(Math.max(10, Math.min(left, lookEveryMs)), context.signal);
  return undefined;
}

/** The error that makes a rollout go back; `undefined` where going back would not help, or is not ours to decide. */
function abortReason(error: unknown, state: RolloutState): UserError | undefined {
  if (!(error instanceof UserError) || state.direction === "back") return undefined;
  if (error.exitCode === exitCodes.locked || error.exitCode === exitCodes.interrupted) return undefined;
  // Traffic that somebody else moved is theirs; what could not be undone needs a person.
  return [
    "rollout-blocked",
    "routing-changed",
    "routing-unreadable",
    "undo-failed",
    "lock-lost",
    "cluster-unreachable",
  ].includes(error.code)
    ? undefined
    : error;
}

function blocked(context: RolloutContext, reason: string, state: RolloutState): UserError {
  return new UserError({
    code: "rollout-blocked",
    message: `The rollout of release ${state.release} of ${context.config.name} cannot go on: ${reason}.`,
    hint: "Look at `modelswitch status`. Put right what is wrong and run `modelswitch resume`, or `modelswitch abort`.",
    details: { phase: state.phase, direction: state.direction },
  });
}

function stopped(routing: Parameters<typeof describeTraffic>[0], state: RolloutState): UserError {
  return interrupted(
    "The rollout",
    `Traffic is on ${describeTraffic(routing)}, in the phase ${state.phase}. \`modelswitch resume\` goes on from here, \`modelswitch abort\` takes it back.`,
  );
}
