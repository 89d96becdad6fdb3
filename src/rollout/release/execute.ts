import { exitCodes, interrupted, isInterrupted, UserError } from "../../core/errors.ts";
import { headline } from "../../core/headline.ts";
import { next } from "../../core/rollout/next.ts";
import { isWayBack } from "../../core/rollout/state.ts";
import { type RolloutEvent, transition } from "../../core/rollout/transition.ts";
import type { Action } from "../../core/rollout/world.ts";
import { isOutage, ridingOut } from "../context/api-outage.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Lock } from "../lock/lock.ts";
import { inProgress, phaseTitle, recordEvents, rolloutOf } from "../record/in-progress.ts";
import { Journal } from "../record/journal.ts";
import type { RolloutRecordEntry } from "../record/rollouts.ts";
import { stackOnce } from "../traffic/traffic.ts";
import { Hearing, hearRequests, unlessRecalled, whileListening } from "./heard-requests.ts";
import { look, ReadyTimes } from "./observe-world.ts";
import { PhaseGates } from "./phase-gates.ts";
import type { RolloutEnd } from "./rollout-end.ts";
import { describeHeld } from "./rollout-end.ts";
import { abortReason, blocked, madeWay, refused, type Standing, stateBehind, stopped } from "./standing.ts";
import type { Acting } from "./step-context.ts";
import { act } from "./take-step.ts";
import { Teller } from "./tell-people.ts";
import { WaitTimes, wait } from "./wait-for-change.ts";
import { wayBackEnded } from "./way-back-ended.ts";

export interface ExecuteOptions {
  /** Wait for approvals and windows instead of ending the command. @default false */
  readonly waitWhenHeld?: boolean;
  /** The rollout has just been written into the record. @default false */
  readonly isNew?: boolean;
  /** Is told how each step of the traffic went. */
  readonly onStep?: Acting["onStep"];
}

/** How often somebody who is waited for is looked for. */
const heldEveryMs = 2_000;

type Taken = { readonly event: RolloutEvent } | { readonly end: RolloutEnd } | undefined;

/**
 * Takes a rollout to its end: looks at the world, takes one step, records it, and looks again. Whatever was remembered wrongly, or
 * changed meanwhile, is seen before the next step. The lock must be held.
 */
export async function execute(
  outer: RolloutContext,
  lock: Lock,
  options: ExecuteOptions = {},
): Promise<RolloutEnd> {
  const journal = new Journal(outer.clock);
  const context: RolloutContext = { ...outer, events: journal.listening(outer.events) };
  context.answers.tellTo(context.events);
  const gates = new PhaseGates(context, journal);
  const teller = new Teller(context);
  const failed: Failed = { by: undefined };
  const hearing = new Hearing(lock);
  try {
    const end = await ridingOut(context, (progress) =>
      steps(context, { lock, hearing, journal, gates, teller, options, failed, progress }),
    );
    teller.ended(end);
    return end;
  } catch (error) {
    const isLocked =
      lock.signal.aborted || (error instanceof UserError && error.exitCode === exitCodes.locked);
    // Without the lock the record is somebody else's.
    const ended = isLocked ? error : await wayBackEnded(context, error, journal);
    teller.broke(ended);
    // What was seen is of use to whoever looks.
    if (!isLocked) await recordEvents(context, [], journal).catch(() => undefined);
    throw ended;
  } finally {
    hearing.stop();
    // Programs that were asked do not outlive the command.
    await gates.leave();
    await teller.flush();
    outer.answers.tellTo(outer.events);
  }
}

/** Why the rollout goes back, where this command made it. */
interface Failed {
  by: UserError | undefined;
}

interface Means {
  readonly lock: Lock;
  readonly hearing: Hearing;
  readonly journal: Journal;
  readonly gates: PhaseGates;
  readonly teller: Teller;
  readonly options: ExecuteOptions;
  readonly failed: Failed;
  /** Called when a step was taken and recorded. */
  readonly progress: () => void;
}

async function steps(context: RolloutContext, means: Means): Promise<RolloutEnd> {
  // What they said in an outage says nothing of the release: they look anew.
  await means.gates.leave();
  const times = new ReadyTimes();
  const standing: Standing = {};
  try {
    return await stepByStep(context, means, times, standing);
  } catch (error) {
    throw isInterrupted(error) ? stopped(standing) : error;
  } finally {
    times.drain.leave(context);
  }
}

async function stepByStep(
  context: RolloutContext,
  means: Means,
  times: ReadyTimes,
  standing: Standing,
): Promise<RolloutEnd> {
  const { lock, hearing, journal, gates, teller, options, failed } = means;
  const stack = stackOnce(context);
  const waits = new WaitTimes();
  let announced: string | undefined;
  const say = sayOnce(context);
  for (;;) {
    await lock.check();
    const record = await hearRequests(context, journal, hearing);
    const entry = rolloutOf(context, record);
    const { plan, state } = entry;
    if (inProgress(record) === undefined) return { kind: "finished", state, failure: failed.by };
    announced = announce(context, entry, announced);
    const { world, observation } = await look(context, record, times, gates);
    standing.kind = entry.kind;
    standing.at = { routing: world.routing, state };
    teller.see(record, world.routing, options.isNew === true);
    // Killed from here on, the next command knows them.
    if (journal.memories !== undefined) await recordEvents(context, [], journal);
    const action = next(plan, state, world);
    waits.see(action, world.now);
    if (context.signal.aborted) throw interrupted("The rollout");
    const acting = (by: RolloutContext): Acting => ({
      context: by,
      record,
      plan,
      state,
      observation,
      routing: world.routing,
      lock,
      stack,
      journal,
      onStep: options.onStep,
    });
    // A write is finished whatever is asked; a proof is not waited for where somebody wants the traffic back.
    const moved = async (step: Parameters<typeof act>[1]) =>
      isWayBack(plan, state)
        ? await act(acting(context), step)
        : (
            await unlessRecalled(context, means.hearing, (stopProof) =>
              act({ ...acting(context), stopProof }, step),
            )
          )?.result;
    const take = async (): Promise<Taken> => {
      switch (action.kind) {
        case "complete":
          return { event: { kind: "completed", at: context.clock.now() } };
        case "rest":
          if (action.why === "finished") return { end: { kind: "finished", state, failure: failed.by } };
          teller.held("somebody paused it");
          return { end: { kind: "paused", state } };
        case "held":
          teller.held(describeHeld(action.by));
          if (options.waitWhenHeld !== true) return { end: { kind: "held", state, by: action.by } };
          say(`Waiting: ${describeHeld(action.by)}`);
          await hearing.pause(context, heldEveryMs);
          return undefined;
        case "blocked":
          throw blocked(context, action.reason, state);
        case "refuse":
          throw refused(context, action.reason, state);
        case "wait":
          if (action.for === "rollback-window") {
            return { end: { kind: "live", state, until: action.until ?? context.clock.now() } };
          }
          if (action.for === "readiness") {
            await whileListening(context, means, (inner) =>
              wait(inner, record, entry, action, { waits, gates, hearing }),
            );
          } else await wait(context, record, entry, action, { waits, gates, hearing });
          return undefined;
        // Traffic that moves has a deadline of its own, and is brought to a proved end.
        case "route":
          // Killed before the proof, whoever goes on knows that there is one to make.
          if (action.arms) await recordEvents(context, [{ kind: "arming" }], journal);
          return happened(await moved(action));
        case "prove":
          return happened(await moved(action));
        case "follow":
          return happened(await followed(acting, action));
        case "scale-down":
        // It is one write, and clients wait for it.
        case "grow":
          return happened(await act(acting(context), action));
        case "deploy":
        case "vacate":
        case "hook":
        case "warm-up":
        case "verify":
          return happened(
            (await whileListening(context, means, (inner) => act(acting(inner), action)))?.result,
          );
      }
    };
    /** Forward nobody waits for it in vain: whoever wants the traffic back is heard, and it is done later. */
    const followed = async (by: typeof acting, action: Extract<Action, { kind: "follow" }>) => {
      if (isWayBack(entry.plan, state)) return await act(by(context), action);
      const done = await whileListening(context, means, (inner) =>
        act({ ...by(inner), stack: () => inner.openStack(inner.signal) }, action),
      );
      if (done === undefined && state.phase === "scale-down") throw madeWay(context);
      return done?.result;
    };
    let taken: Taken;
    try {
      taken = await take();
    } catch (error) {
      // A release is not worse because the API server is away.
      if (isOutage(error, context.api.server)) throw error;
      const isFollowing = action.kind === "follow";
      const reason = abortReason(error, entry.plan, state, isFollowing);
      if (reason === undefined)
        throw isFollowing && !isWayBack(entry.plan, state)
          ? stateBehind(context, error, world.routing)
          : error;
      failed.by = reason;
      context.events({
        type: "warning",
        code: "rollout-aborts",
        message: `The rollout goes back: ${headline(reason.message)}`,
      });
      const at = context.clock.now();
      taken = { event: { kind: "abort", reason: headline(reason.message), cause: reason.code, at } };
    }
    if (taken === undefined) continue;
    if ("end" in taken) {
      // What was seen on the way to a hold is of use to whoever looks.
      if (journal.noted.length > 0) await recordEvents(context, [], journal);
      return taken.end;
    }
    const written = await recordEvents(context, [taken.event], journal);
    if (written.rollout === undefined) {
      // A switch that has ended is a line of the history.
      return { kind: "finished", state: transition(plan, state, taken.event), failure: failed.by };
    }
    const routing = action.kind === "route" ? action.step.routing : world.routing;
    standing.at = { routing, state: rolloutOf(context, written).state };
    means.progress();
  }
}

function happened(event: RolloutEvent | undefined): Taken {
  return event === undefined ? undefined : { event };
}

/** Says what it is told, unless it was the last thing that it said. */
function sayOnce({ events }: RolloutContext): (message: string) => void {
  let last: string | undefined;
  return (message) => {
    if (message !== last) events({ type: "info", message });
    last = message;
  };
}

/** Says once that a phase, a stage of it or a step begins. Returns what was said last. */
function announce(context: RolloutContext, entry: RolloutRecordEntry, last: string | undefined): string {
  const { state, plan, number } = entry;
  const { phase, stage, direction, release, target, stepIndex } = state;
  const now = `${direction} ${phase} ${stage} ${stepIndex}`;
  // A switch is no release that goes through phases.
  if (entry.kind === "switch") return now;
  if (now === last || phase === "done") return now;
  const weight = phase === "shift" ? plan.steps[stepIndex]?.weight : undefined;
  context.events({
    type: "phase",
    rollout: number,
    release,
    slot: target,
    phase,
    stage,
    direction,
    ...(weight === undefined ? {} : { weight }),
    message: `Phase ${phaseTitle(state)}${weight === undefined || stage !== "during" ? "" : ` (${weight} %)`}`,
  });
  return now;
}
