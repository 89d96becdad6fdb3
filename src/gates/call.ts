import { ask } from "../calls/ask.ts";
import type { GateVerdict } from "../core/calls.ts";
import type { Gate } from "../core/gates.ts";
import type { GateIo, GateSubject } from "./io.ts";

type CallGate = Extract<Gate, { kind: "command" | "webhook" }>;

/** Asks a program or an address for its opinion of the release, once. */
export async function callGate(
  io: GateIo,
  { name, call }: CallGate,
  subject: GateSubject,
  signal: AbortSignal,
): Promise<GateVerdict> {
  const told = { ...subject, reach: await io.reach(signal) };
  return await ask(io.calls, call, { subject: told, occasion: { type: "gate", name } }, signal);
}
