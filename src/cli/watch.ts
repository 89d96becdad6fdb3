import { exitCodes } from "../core/errors.ts";
import type { CommandContext, CommandResult } from "./command.ts";
import { reportOf } from "./output/error.ts";

/**
 * Asks again and again until the user stops it, which is its right end: redraws on a terminal, writes what has changed otherwise, and
 * one document per change with `--json`. What goes wrong at the first look ends it; later it is shown, and asking goes on.
 */
export async function watching(
  context: CommandContext,
  intervalMs: number,
  query: (isFirst: boolean) => Promise<CommandResult>,
  isNews: (shown: CommandResult["data"], now: CommandResult["data"]) => boolean = isOther,
): Promise<CommandResult> {
  const { clock, signal, screen, globals } = context;
  let last: CommandResult["data"] | undefined;
  for (;;) {
    const result = await look(query, last === undefined, signal);
    if (result === undefined) break;
    const isNew = last === undefined || isNews(last, result.data);
    if (isNew) last = result.data;
    if (!globals.json) await screen.show(result.text, isNew);
    else if (isNew) screen.document(result.data);
    try {
      await clock.sleep(intervalMs, signal);
    } catch {
      break;
    }
  }
  screen.leave();
  return { exitCode: exitCodes.done, data: {}, text: [], isShown: true };
}

function isOther(shown: CommandResult["data"], now: CommandResult["data"]): boolean {
  return JSON.stringify(shown) !== JSON.stringify(now);
}

/** `undefined`: the user stopped it. */
async function look(
  query: (isFirst: boolean) => Promise<CommandResult>,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<CommandResult | undefined> {
  try {
    return await query(isFirst);
  } catch (error) {
    if (signal.aborted) return undefined;
    if (isFirst) throw error;
    const { code, message, hint, exitCode } = reportOf(error);
    return {
      data: { error: { code, message, ...(hint === undefined ? {} : { hint }), exitCode } },
      text: [message, ...(hint === undefined ? [] : [hint])],
    };
  }
}
