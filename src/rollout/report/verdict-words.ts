import type { RecordedVerdict } from "../record/verdicts.ts";

const words = { pass: "pass", fail: "fail", hold: "not decided", inconclusive: "cannot tell" } as const;

/** What a gate came to, in words. Pure. */
export function verdictWord({ verdict, isLetPass }: Pick<RecordedVerdict, "verdict" | "isLetPass">): string {
  return isLetPass === true ? "not shown, let pass" : words[verdict];
}

/** `shift, step 2 (25 %)`. Pure. */
export function whenText({
  phase,
  step,
  weight,
}: Pick<RecordedVerdict, "phase" | "step" | "weight">): string {
  return step === null ? phase : `${phase}, step ${step + 1} (${weight} %)`;
}
