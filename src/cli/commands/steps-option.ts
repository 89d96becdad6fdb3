import { exitCodes, UserError } from "../../core/errors.ts";
import type { ParsedSteps } from "../../core/rollout/steps.ts";

/**
 * What `--steps` says; `undefined`: it was not given.
 * @throws UserError `steps-invalid` (exit code 2)
 */
export async function parsedSteps(
  steps: string | true | undefined,
): Promise<Extract<ParsedSteps, { kind: "steps" }> | undefined> {
  if (typeof steps !== "string") return undefined;
  const { parseSteps } = await import("../../core/rollout/steps.ts");
  const parsed = parseSteps(steps);
  if (parsed.kind === "steps") return parsed;
  throw new UserError({
    code: "steps-invalid",
    message: `--steps ${steps}: the step "${parsed.step}" ${parsed.why}.`,
    hint: "For example --steps 5%:2m,25%:5m,50%.",
    exitCode: exitCodes.usage,
  });
}
