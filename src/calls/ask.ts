import type { Call, CallSubject, GateVerdict, Hook } from "../core/calls.ts";
import { runCommand } from "./command.ts";
import type { CallIo } from "./io.ts";
import { type CallPayload, type Occasion, payloadOf } from "./payload.ts";
import { callWebhook } from "./webhook.ts";

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/**
 * Asks a program or an address, again where it gave no clear answer and that is wanted. Never throws for what it does.
 * @throws UserError `interrupted`
 */
export async function ask(
  io: CallIo,
  call: Call,
  about: { readonly subject: CallSubject; readonly occasion: Occasion },
  signal: AbortSignal,
): Promise<GateVerdict> {
  const payload = payloadOf(about.subject, about.occasion, io.clock.now());
  for (let tries = 1; ; tries++) {
    const { again, verdict, evidence } = await once(io, call, payload, signal);
    if (!again || tries > call.retries) {
      return { verdict, evidence: again && tries > 1 ? `${evidence} (${tries} tries)` : evidence };
    }
    await io.clock.sleep(Math.min(firstPauseMs * 2 ** (tries - 1), longestPauseMs), signal);
  }
}

function once(io: CallIo, call: Call, payload: CallPayload, signal: AbortSignal) {
  return call.kind === "command"
    ? runCommand(io, call, payload, signal)
    : callWebhook(io, call, payload, signal);
}

/**
 * Runs a hook. `hold`: it has not decided, and is to be run again later.
 * @throws UserError `interrupted`
 */
export async function runHook(
  io: CallIo,
  hook: Hook,
  subject: CallSubject,
  signal: AbortSignal,
): Promise<GateVerdict> {
  const occasion: Occasion = { type: "hook", name: hook.name, when: hook.when };
  return await ask(io, hook.call, { subject, occasion }, signal);
}
