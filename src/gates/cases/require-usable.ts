import { exitCodes, UserError } from "../../core/errors.ts";
import { requestFor } from "../ask-model.ts";
import type { Asking } from "../asking.ts";
import { leadsIn } from "../mask.ts";
import type { GoldenCase } from "./case.ts";

/**
 * Makes sure that each input can be asked, and that each path of the mask hides something in one of them: one with a slip of the pen would hide
 * nothing, and reports would show what nobody is to see.
 * @throws UserError `cases-invalid`, `mask-unmatched`
 */
export function requireUsable(asking: Asking, cases: readonly GoldenCase[]): void {
  for (const { input } of cases) requestFor(asking, input);
  const idle = asking.mask.input.find((path) => !cases.some(({ input }) => leadsIn(input, path)));
  if (idle === undefined) return;
  throw new UserError({
    code: "mask-unmatched",
    message: `The mask "input.${idle}" leads to nothing in any case of ${asking.cases}, so that it would hide nothing.`,
    hint: 'Paths begin at what a case has as its input: for {"input": {"name": …}} it is input.name, and * stands for every key or index.',
    exitCode: exitCodes.usage,
  });
}
