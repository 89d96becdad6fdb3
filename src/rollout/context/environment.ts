import { exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { RolloutContext } from "./context.ts";

/**
 * Two environments of one file may turn out to be one place, for example when `--context` names the other one's cluster. The
 * record says whose model it is.
 * @throws UserError `environment-other` (exit code 2)
 */
export function refuseOtherEnvironment(
  {
    config,
    namespace,
    kubernetesContext,
  }: Pick<RolloutContext, "config" | "namespace" | "kubernetesContext">,
  record: RolloutRecord | undefined,
): void {
  const owner = record?.environment ?? null;
  // A model from before there were environments belongs to the first one that is applied.
  if (owner === null || owner === config.environment) return;
  const own = config.environment === undefined ? "none is chosen" : `the one chosen is ${config.environment}`;
  throw new UserError({
    code: "environment-other",
    message: `The model ${config.name} in ${namespace} (context ${kubernetesContext}) belongs to the environment ${owner}, but ${own}.`,
    hint: `Choose that one (--environment ${owner}), or another cluster or namespace. Where ${owner} was renamed: \`modelswitch up --take-over\`, with pulumi.stack: "${owner}" to keep its state.`,
    exitCode: exitCodes.usage,
    details: {
      model: config.name,
      namespace,
      context: kubernetesContext,
      owner,
      chosen: config.environment ?? null,
    },
  });
}
