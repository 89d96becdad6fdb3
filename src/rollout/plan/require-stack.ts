import { exitCodes, UserError } from "../../core/errors.ts";
import type { ModelSpec } from "../../core/model.ts";
import { slots } from "../../core/slots.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { declaredObjects } from "../program/declared-objects.ts";
import { requireEngineRights } from "../program/engine-rights.ts";
import { refuseForeign, type UnknownObjects, unknownObjects } from "../program/unknown-objects.ts";

/**
 * Looks for what Pulumi needs before anything is recorded: its CLI, a provider, the backend, the right passphrase, the account's rights.
 * Ways back never ask: they go without Pulumi as long as clients are not where they should be. `spec` is what is about to be declared.
 * @returns what the state holds
 * @throws UserError `passphrase-wrong`, `backend-unusable`, `provider-unavailable`, `permission-denied` (exit code 2), …
 */
export async function checkStack(
  context: RolloutContext,
  spec?: ModelSpec,
): Promise<readonly StackResource[]> {
  const stack = await context.openStack(context.signal);
  const known = (await stack.check()) ?? [];
  const declared = spec === undefined ? [] : declaredObjects(spec);
  const present = [...known, ...declared].map(({ kind }) => kind);
  await requireEngineRights(context, present, { exitCode: exitCodes.usage });
  return known;
}

/**
 * `checkStack` for commands that go on with what an earlier `up` made.
 * @throws UserError `state-missing`, `object-taken` (exit code 2) too: the model is there and its state is not; others have its names
 */
export async function requireStack(
  context: RolloutContext,
  observation: Observation,
  spec?: ModelSpec,
): Promise<void> {
  const known = await checkStack(context, spec);
  if (known.length === 0 && isThere(observation)) throw stateMissing(context);
  if (spec !== undefined) await requireNames(context, spec, known);
}

/**
 * Refuses a model whose objects would have names that others have.
 * @throws UserError `object-taken` (exit code 2)
 */
export async function requireNames(
  context: RolloutContext,
  spec: ModelSpec,
  known: readonly StackResource[],
): Promise<UnknownObjects> {
  const found = await unknownObjects(context, spec, known);
  refuseForeign(spec, found);
  return found;
}

/** Whether anything of the model is in the cluster. */
export function isThere({ ingress, slots: each }: Observation): boolean {
  return (
    ingress !== undefined ||
    slots.some((slot) => each[slot].service !== undefined || each[slot].deployment !== undefined)
  );
}

function stateMissing({ config, namespace }: RolloutContext): UserError {
  const { pulumi, folder } = config;
  const place = placeOf(config);
  return new UserError({
    code: "state-missing",
    message: `The model ${config.name} is deployed in ${namespace}, and there is no state of it in ${place} (stack ${pulumi.stack ?? namespace} of project ${pulumi.project}). Nothing was done.`,
    hint: `Run the command where the state is, or name its place (\`pulumi.backend\` in the configuration; without it, it is in ${folder}/.modelswitch/state). If the state is lost, \`modelswitch up\` takes the model's objects as they are into a new one.`,
    exitCode: exitCodes.usage,
  });
}

/** Where the state is looked for, in words. */
export function placeOf({ pulumi, folder }: Pick<RolloutContext["config"], "pulumi" | "folder">): string {
  return pulumi.backendUrl?.replace(/\/\/[^/@\s]+@/g, "//***@") ?? `${folder}/.modelswitch/state`;
}
