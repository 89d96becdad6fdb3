import { exitCodes, UserError } from "../../core/errors.ts";
import type { Gate } from "../../gates/kinds.ts";
import type { RolloutContext } from "../context/context.ts";
import { namedSource, readCounters } from "../observe/read-counters.ts";
import type { CountedRollout } from "./counted-rollout.ts";
import { countersAbout, foundCounters, nobodyCounts } from "./counter-io.ts";

type ShadowGate = Extract<Gate, { kind: "shadow" }>;

const timeoutMs = 5_000;

/**
 * A gate that somebody wrote to compare copies needs somebody who counts them: without, it would see nothing all along. One that is there by itself
 * says so when it looks.
 * @throws UserError `copies-uncounted` (exit code 2)
 */
export async function requireCountedCopies(context: RolloutContext, seen: CountedRollout): Promise<void> {
  const { gates } = context.config.rollout;
  for (const gate of gates) {
    if (gate.kind !== "shadow" || gate.byDefault === true) continue;
    const why = await uncounted(context, seen, gate);
    if (why === undefined) continue;
    throw new UserError({
      code: "copies-uncounted",
      message: `The gate ${gate.name} compares copies of clients' requests, but ${why}. Nothing was changed.`,
      hint: "Say where the ingress controller shows what it counts (`metrics.controller`), or leave the gate out.",
      exitCode: exitCodes.usage,
      details: { gate: gate.name, router: context.config.router },
    });
  }
}

/** Why nobody counts; `undefined`: somebody does. */
async function uncounted(
  context: RolloutContext,
  seen: CountedRollout,
  { sources = sourcesOfClients(context) }: ShadowGate,
): Promise<string | undefined> {
  const about = countersAbout(context, seen, { timeoutMs, signal: context.signal });
  if (sources !== undefined) {
    const read = await readCounters(namedSource(sources), about);
    return read.kind === "read" ? undefined : read.why;
  }
  const found = await foundCounters(context, about, seen);
  return found.kind === "found" ? undefined : nobodyCounts(found.tried);
}

/** Where a gate says that clients' requests are counted. */
export function sourcesOfClients({ config }: Pick<RolloutContext, "config">): ShadowGate["sources"] {
  return config.rollout.gates.flatMap((gate) => (gate.kind === "traffic" ? [gate.sources] : []))[0];
}
