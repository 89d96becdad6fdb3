import { formatDuration } from "../core/duration.ts";
import { messageAndHint, UserError } from "../core/errors.ts";
import { isEquality } from "./cases/compare.ts";
import { firstOf } from "./drift/inputs.ts";
import type { Gate } from "./kinds.ts";

/** What a gate will send itself, so that whoever plans a release knows it. */
export interface GateRequests {
  readonly gate: string;
  /** To the slot of the release. */
  readonly release: number;
  /** To the slot that clients use: at least, and where every answer differs. */
  readonly live: { readonly least: number; readonly most: number };
  /** `once`: in each of its phases and steps. `look`: again and again, so long after the last one. */
  readonly per: { readonly kind: "once" } | { readonly kind: "look"; readonly everyMs: number };
  /** To live, a second; `undefined`: one after the other. */
  readonly pace?: number;
}

/** The same where it cannot be known. */
export interface UnknownRequests {
  readonly gate: string;
  readonly why: string;
}

const none = { least: 0, most: 0 };

/** Before this no gate of performance has a verdict. */
const leastSeconds = 40;

/** Where live's clients are not counted. */
const unknownPace = 5;

/** What each gate of a release sends itself. `folder`: of the configuration file. */
export async function gateRequests(
  gates: readonly Gate[],
  folder: string,
): Promise<readonly (GateRequests | UnknownRequests)[]> {
  const found: (GateRequests | UnknownRequests)[] = [];
  for (const gate of gates) {
    try {
      const one = await requestsOf(gate, folder);
      if (one !== undefined) found.push({ gate: gate.name, ...one });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push({ gate: gate.name, why: messageAndHint(error) });
    }
  }
  return found;
}

async function requestsOf(gate: Gate, folder: string): Promise<Omit<GateRequests, "gate"> | undefined> {
  const { everyMs } = gate;
  switch (gate.kind) {
    case "request":
      return { release: gate.request.count, live: none, per: { kind: "look", everyMs } };
    case "smoke":
      return {
        release: 2,
        live: gate.smoke.schema === "unchanged" ? { least: 1, most: 1 } : none,
        per: { kind: "look", everyMs },
      };
    case "golden":
      return { release: await countOf(folder, gate.golden.cases), live: none, per: { kind: "once" } };
    case "parity":
    case "labels": {
      const { asking, against, inputs, pace = unknownPace } = gate;
      const count = Math.min(inputs, await countOf(folder, asking.cases));
      const isOnce = against === "right";
      return {
        release: count,
        live: {
          least: isOnce || isEquality(asking.comparison) ? count : 2 * count,
          most: isOnce ? count : 2 * count,
        },
        per: { kind: "once" },
        pace,
      };
    }
    case "drift": {
      const { asking, live, inputs, pace = unknownPace } = gate;
      const count = Math.min(inputs, await countOf(folder, asking.cases));
      const first = Math.min(count, firstOf(count));
      const toLive = live === "recorded" ? none : { least: first, most: count };
      return { release: count - first, live: toLive, per: { kind: "once" }, pace };
    }
    case "performance": {
      const { rate = unknownPace, durationMs } = gate;
      const count = Math.ceil((rate * durationMs) / 1000);
      const least = Math.min(count, Math.ceil(rate * leastSeconds));
      return { release: count, live: { least, most: count }, per: { kind: "once" }, pace: rate };
    }
    case "command":
    case "webhook":
    case "shadow":
    case "traffic":
    case "pods":
      return undefined;
  }
}

async function countOf(folder: string, file: string): Promise<number> {
  const { readCases } = await import("./cases/read-cases.ts");
  return (await readCases(folder, file, "input")).length;
}

/** A line for people. Pure. */
export function describeRequests(found: GateRequests | UnknownRequests): string {
  if ("why" in found) return `${found.gate} sends requests that cannot be counted: ${found.why}`;
  const { gate, release, live, per, pace } = found;
  const range = live.least === live.most ? `${live.least}` : `${live.least} to ${live.most}`;
  const seconds = pace === undefined ? 0 : live.most / pace;
  const least = pace === undefined ? 0 : live.least / pace;
  const times = least === seconds ? duration(seconds) : `${duration(least)} to ${duration(seconds)}`;
  const toLive = live.most === 0 ? "" : `, ${range} to the live one`;
  if (per.kind === "look") {
    return `${gate} sends ${release} requests to the release${toLive} in each look, every ${duration(per.everyMs / 1000)}.`;
  }
  const paced = pace === undefined ? "" : ` at most ${pace} a second, ${times}`;
  return `${gate} sends up to ${release} requests to the release${toLive}${paced}.`;
}

const duration = (seconds: number) => formatDuration(Math.max(1, Math.round(seconds)) * 1000);
