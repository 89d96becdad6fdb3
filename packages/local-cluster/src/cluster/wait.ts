import { type Clock, interrupted, type StepEvent, UserError } from "../../../../src/support.ts";

export interface WaitOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** @default 100 */
  readonly everyMs?: number;
  /** What is waited for, for the error: `the API server to be ready`. */
  readonly what: string;
  readonly hint?: string;
  /** Told what is still missing, when that changes and every second. */
  readonly progress?: (update: Pick<StepEvent, "detail" | "remainingMs">) => void;
  /** How long this takes on an ordinary machine, for an estimate; none is given once it has taken longer. */
  readonly typicalMs?: number;
}

/**
 * Asks until the answer is `true`. A text in its place says what is still missing; the last one is in the error.
 * @throws UserError `wait-timeout`, `interrupted`, and whatever `condition` throws
 */
export async function waitUntil(
  condition: () => Promise<true | string>,
  options: WaitOptions,
): Promise<void> {
  const { clock, signal, deadlineMs } = options;
  const start = clock.now();
  let reported: { readonly state: string; readonly at: number } | undefined;
  for (;;) {
    if (signal.aborted) throw interrupted("The local cluster's start");
    const state = await condition();
    if (state === true) return;
    const now = clock.now();
    if (reported === undefined || reported.state !== state || now - reported.at >= 1_000) {
      const remainingMs = (options.typicalMs ?? 0) - (now - start);
      options.progress?.({ detail: state, ...(remainingMs > 0 ? { remainingMs } : {}) });
      reported = { state, at: now };
    }
    if (now - start > deadlineMs) {
      throw new UserError({
        code: "wait-timeout",
        message: `Waited ${Math.round(deadlineMs / 1000)} s for ${options.what}: ${state}.`,
        ...(options.hint === undefined ? {} : { hint: options.hint }),
      });
    }
    await clock.sleep(options.everyMs ?? 100, signal);
  }
}
