import type { GateVerdict, Verdict } from "../core/calls.ts";
import type { GateBase, GatesVerdict } from "../core/gates.ts";

/** What is remembered of a gate's looks while a phase or step lasts. */
export interface GateMemory {
  /** What it said last; `undefined`: nothing yet. */
  readonly last: GateVerdict | undefined;
  /** Failing looks in a row. */
  readonly failing: number;
  /** Looks in a row that could not tell. */
  readonly unclear: number;
  /** Since when it has said `hold` without a break. Milliseconds since the Unix epoch. */
  readonly holdingSince: number | undefined;
  /** It has failed: that stays so, whatever it says later. */
  readonly failed: GateVerdict | undefined;
}

export const nothingHeard: GateMemory = {
  last: undefined,
  failing: 0,
  unclear: 0,
  holdingSince: undefined,
  failed: undefined,
};

/** Looks in a row that cannot tell, until the gate as a whole cannot. One time-out is no reason to bother a person. */
export const unclearLooks = 3;

/** How long a gate may take to make up its mind. */
export const longestHoldMs = 24 * 3_600_000;

/** What a look adds to what is remembered. Pure; `at` is in milliseconds since the Unix epoch. */
export function heard(
  gate: Pick<GateBase, "failures">,
  memory: GateMemory,
  said: GateVerdict,
  at: number,
): GateMemory {
  const failing = said.verdict === "fail" ? memory.failing + 1 : 0;
  return {
    last: said,
    failing,
    unclear: said.verdict === "inconclusive" ? memory.unclear + 1 : 0,
    holdingSince: said.verdict === "hold" ? (memory.holdingSince ?? at) : undefined,
    failed: memory.failed ?? (failing >= gate.failures ? said : undefined),
  };
}

/** What a gate says as a whole, from consecutive looks. Pure. */
export function standing(gate: Pick<GateBase, "failures">, memory: GateMemory, now: number): GateVerdict {
  const { last, failing, unclear, holdingSince, failed } = memory;
  if (failed !== undefined) return failed;
  if (last === undefined) return { verdict: "hold", evidence: "has not looked yet" };
  switch (last.verdict) {
    case "pass":
      return last;
    case "fail":
      return { verdict: "hold", evidence: `fails ${failing} of ${gate.failures} times: ${last.evidence}` };
    case "inconclusive":
      if (unclear >= unclearLooks) return last;
      return {
        verdict: "hold",
        evidence: `cannot tell, ${unclear} of ${unclearLooks} times: ${last.evidence}`,
      };
    case "hold":
      if (now - (holdingSince ?? now) < longestHoldMs) return last;
      return {
        verdict: "inconclusive",
        evidence: `has not decided for ${longestHoldMs / 3_600_000} hours: ${last.evidence}`,
      };
  }
}

/** The worst comes first; one that may still fail is waited for before a person is asked. */
const order: readonly Verdict[] = ["fail", "hold", "inconclusive", "pass"];

/** What one gate says, and what becomes of a phase in which it cannot tell. */
export type SaidByGate = GateVerdict &
  Pick<GateBase, "onInconclusive" | "byDefault"> & { readonly name: string };

/** What gates say together. Without gates: pass. Pure. */
export function combined(said: readonly SaidByGate[]): GatesVerdict {
  const isLetPass = ({ verdict, onInconclusive, byDefault }: SaidByGate) =>
    onInconclusive === "pass" && (verdict === "inconclusive" || (verdict === "hold" && byDefault === true));
  const counting = said.filter((gate) => !isLetPass(gate));
  const kind = order.find((verdict) => counting.some((gate) => gate.verdict === verdict)) ?? "pass";
  const isBack = counting.some(
    ({ verdict, onInconclusive }) => verdict === "inconclusive" && onInconclusive === "back",
  );
  const gates = said.map((gate) => {
    const { onInconclusive: _, byDefault: _by, ...one } = gate;
    return isLetPass(gate) ? { ...one, isLetPass: true as const, evidence: notShown(one.evidence) } : one;
  });
  return { kind, onInconclusive: isBack ? "back" : "hold", gates };
}

/** What a gate that let a phase go on had not shown. Pure. */
export function notShown(evidence: string): string {
  return `not shown: ${evidence.replace(/^not shown( yet)?: /, "")}`;
}

/** Who is the reason for what they say together, in one line: `smoke: exit code 3`. Pure. */
export function reasonOf({ kind, gates }: GatesVerdict): string {
  const saying = gates.filter(({ verdict, isLetPass }) => verdict === kind && isLetPass !== true);
  return saying.map(({ name, evidence }) => (evidence === "" ? name : `${name}: ${evidence}`)).join("; ");
}
