import { exitCodes, UserError } from "../../core/errors.ts";
import type { ModelSpec } from "../../core/model.ts";
import { slots } from "../../core/slots.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import { refuseDenied } from "../../kubernetes/access.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { declaredObjects } from "../program/declared-objects.ts";
import { requireEngineRights, routerOfRights } from "../program/engine-rights.ts";
import {
  describePlace,
  describeRecorded,
  isSamePlace,
  recordedPlace,
  stackOf,
} from "../program/state-record.ts";
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
  await requireStateRights(context);
  const stack = await context.openStack(context.signal);
  const known = (await stack.check()) ?? [];
  const declared = spec === undefined ? [] : declaredObjects(spec);
  const present = [...known, ...declared].map(({ kind }) => kind);
  const router = spec === undefined ? context.config.router : routerOfRights(spec);
  await requireEngineRights(context, present, router, { exitCode: exitCodes.usage });
  return known;
}

/**
 * A state in the cluster has to be written, too. One that others keep there is no reason to begin another one in this folder.
 * @throws UserError `permission-denied` (exit code 2)
 */
async function requireStateRights(context: RolloutContext): Promise<void> {
  const { config, namespace, state, store } = context;
  const place = await state.place();
  const isTheirs = async () => (await store.read().catch(() => undefined))?.state?.backend === null;
  const isMeant = place.kind === "cluster" || (place.kind === "folder" && (await isTheirs()));
  if (!isMeant) return;
  const { stateRights } = await import("../program/state-place.ts");
  const wanted = stateRights(config.name, stackOf(config, namespace));
  await refuseDenied(context, wanted, { exitCode: exitCodes.usage });
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
  if (known.length === 0 && isThere(observation)) throw await stateMissing(context);
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

async function stateMissing(context: RolloutContext): Promise<UserError> {
  const { config, namespace, store } = context;
  const { project, stack } = stackOf(config, namespace);
  const place = await context.state.place();
  const recorded = (await store.read().catch(() => undefined))?.state;
  const isElsewhere =
    recorded !== undefined && !isSamePlace(recorded, recordedPlace(config, namespace, place));
  const lost = "If the state is lost, `modelswitch up` takes the model's objects as they are into a new one.";
  return new UserError({
    code: "state-missing",
    message: [
      `The model ${config.name} is deployed in ${namespace}, and there is no state of it in ${describePlace(config, place)} (stack ${stack} of project ${project}).`,
      ...(isElsewhere ? [`The rollout record says that it is in ${describeRecorded(recorded)}.`] : []),
      "Nothing was done.",
    ].join(" "),
    hint: isElsewhere
      ? `Name that place in the configuration (\`pulumi\`). ${lost}`
      : place.kind === "cluster" && recorded !== undefined
        ? lost
        : `Run the command where the state is, or name its place (\`pulumi.backend\` in the configuration). ${lost}`,
    exitCode: exitCodes.usage,
  });
}
