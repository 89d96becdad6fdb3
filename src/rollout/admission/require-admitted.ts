import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { Slot } from "../../core/slots.ts";
import { plannedDeployment } from "../capacity/planned-deployment.ts";
import type { RolloutContext } from "../context.ts";
import { type Admission, askAdmission } from "./dry-run.ts";

/**
 * Refuses pods that the API server would refuse: quotas, pod security and policies let a Deployment in and none of its pods, and minutes
 * of waiting would be all that is seen of it.
 * @throws UserError `admission-refused` (exit code 2)
 */
export async function requireAdmitted(
  context: RolloutContext,
  spec: ModelSpec,
  slot: Slot,
  /** A way back is never refused. @default as `rollout.capacity` says */
  policy = context.config.rollout.capacity,
): Promise<Admission | undefined> {
  const { events } = context;
  if (policy === "skip") return undefined;
  const deployment = plannedDeployment(spec, slot);
  if (deployment === undefined) return undefined;
  const found = await step(
    events,
    { id: "admission", title: `Ask the API server whether it takes the pods of ${slot}` },
    () => askAdmission(context, deployment),
    describeAdmission,
  );
  for (const message of found.warned)
    events({ type: "warning", code: "admission-warning", message: `The API server warns: ${message}` });
  if (found.refused.length === 0) return found;
  const message = `The API server refuses ${found.refused.map(({ what, words }) => `${what}: ${words}`).join("; ")}`;
  if (policy === "warn") {
    events({ type: "warning", code: "admission-refused", message });
    return found;
  }
  throw new UserError({
    code: "admission-refused",
    message: `${message}\nNothing was changed.`,
    hint: "Change what the configuration says of the pods (`pod.securityContext`, `securityContext`, `resources`, labels), or have the policy changed. `--capacity warn` goes on all the same.",
    exitCode: exitCodes.usage,
    details: { refused: found.refused },
  });
}

/** What the API server said, and what it could not be asked. */
export function describeAdmission({ refused, unseen }: Admission): string {
  const said =
    refused.length === 0
      ? `nothing is ${unseen.length === 0 ? "" : "known "}against them`
      : refused.map(({ what, words }) => `it refuses ${what}: ${words}`).join("; ");
  return unseen.length === 0 ? said : `${said}. Not looked at: ${unseen.join("; ")}`;
}
