import { exitCodes, interrupted, messageOf, UserError } from "../../core/errors.ts";
import { isUnanswered, patienceMs } from "../../kubernetes/answers.ts";
import { helperFailure } from "../../kubernetes/helpers-down.ts";
import type { RolloutContext } from "./context.ts";

const pulumiCodes = ["deployment-failed", "program-failed", "pulumi-failed"];

/** Whether an error says nothing but that the API server at this URL was away, whoever met it. Pure. */
export function isOutage(error: unknown, server: string): boolean {
  if (isUnanswered(error)) return true;
  if (!(error instanceof UserError)) return false;
  // The address that a webhook was not reached at may be on the API server's own host.
  if (helperFailure(error.message) !== undefined) return false;
  // A step that could be neither proved nor undone because of it is looked at, and proved, once it answers.
  if (error.code === "undo-failed") return isOutage(error.cause, server);
  return pulumiCodes.includes(error.code) && saysAway(error.message, new URL(server).host);
}

/** What Pulumi's failures say where its provider, ours or the official one, did not reach the API server; a registry that cannot be reached is something else. */
function saysAway(message: string, host: string): boolean {
  if (/API server at \S+ cannot be reached|Kubernetes cluster is unreachable|etcdserver: /.test(message)) {
    return true;
  }
  return message.includes(host) && /connection (refused|reset)|EOF|i\/o timeout/.test(message);
}

const pollMs = 1_000;

/**
 * Does work that takes itself up wherever it was, and does it again after an outage of the API server: clients are served
 * without it, so nothing is lost by waiting. Gives up when it has been away for `deadlines.ready`, and where it answers but the
 * work gets nowhere for that long.
 */
export async function ridingOut<T>(
  context: RolloutContext,
  work: (progress: () => void) => Promise<T>,
): Promise<T> {
  const { api, answers, clock, config, signal } = context;
  let since: number | undefined;
  for (;;) {
    const told = answers.timesAway;
    try {
      return await work(() => {
        since = undefined;
      });
    } catch (error) {
      if (!isOutage(error, api.server) || signal.aborted) throw error;
      // What was told while the work waited needs no telling when it fails of it; nor does, again and again, that it gets nowhere.
      if (since === undefined && answers.timesAway === told) tellAway(context, error);
      since ??= clock.now();
      await untilAnswers(context, since + config.deadlines.readyMs, error);
    }
  }
}

function tellAway({ answers }: RolloutContext, error: unknown): void {
  const reason = messageOf(error).split("\n")[0] ?? "";
  answers.away(`The rollout waits for the API server; traffic stays as it is. ${reason}`);
}

async function untilAnswers(context: RolloutContext, deadline: number, error: unknown): Promise<void> {
  const toldAt = context.clock.now() + patienceMs;
  for (;;) {
    if (context.clock.now() >= toldAt) tellAway(context, error);
    if (context.clock.now() >= deadline) throw given(error, context.config.name);
    try {
      await context.clock.sleep(pollMs, context.signal);
      await context.store.read();
      return;
    } catch (again) {
      if (context.signal.aborted) {
        throw interrupted("The rollout", "Traffic is where it was. `modelswitch resume` goes on from here.");
      }
      if (!isOutage(again, context.api.server)) throw again;
    }
  }
}

function given(error: unknown, model: string): UserError {
  return new UserError({
    code: "cluster-unreachable",
    message: `The rollout of ${model} waited for the API server in vain: ${messageOf(error)}`,
    hint: "Traffic is where it was. Once the API server answers, `modelswitch resume` goes on.",
    exitCode: exitCodes.failed,
    cause: error,
  });
}
