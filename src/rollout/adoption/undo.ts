import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import { settledOn, splitOf } from "../../core/routing.ts";
import { otherSlot } from "../../core/slots.ts";
import type { UpProof } from "../commands/prove-up.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { withPermissions } from "../context/permissions.ts";
import { type Lock, withLock } from "../lock/lock.ts";
import { observe } from "../observe/observe.ts";
import { modelSpec } from "../plan/desired.ts";
import type { ModelStack } from "../program/model-stack.ts";
import type { Adoption } from "../record/adoption.ts";
import { refuseInProgress } from "../record/in-progress.ts";
import { type RolloutRecord, releaseOf } from "../record/record.ts";
import { wayAsked } from "../release/way-asked.ts";
import { adoptedKinds, adoptedObject, foundOf, kindNames, podsOf } from "./adopted-objects.ts";
import { autoscalerPart } from "./plan-lines.ts";
import { proveReturned } from "./prove-adoption.ts";
import { restoreObject } from "./restore-object.ts";

export interface PreparedUndo {
  readonly record: RolloutRecord;
  readonly adoption: Adoption;
  /** The image that the slot runs, where it is not the one that was found. */
  readonly laterImage: string | undefined;
}

/**
 * Decides whether what was adopted can be given back. Writes nothing.
 * @throws UserError `undo-refused` (exit code 2), `rollout-in-progress`
 */
export async function prepareUndo(context: RolloutContext): Promise<PreparedUndo> {
  const { config, namespace, api, store } = context;
  const refuse = (message: string, hint: string) =>
    new UserError({ code: "undo-refused", message, hint, exitCode: exitCodes.usage });
  const record = await withPermissions(context, ["up", "destroy", "engine"], () => store.read());
  const adoption = record?.adoption;
  if (record === undefined || adoption === undefined) {
    throw refuse(
      `${config.name} in ${namespace} has adopted nothing, so there is nothing to give back.`,
      record === undefined
        ? "Choose the model's configuration file with --config, or another cluster with --context."
        : "`modelswitch destroy` deletes a model that modelswitch made itself.",
    );
  }
  refuseInProgress(config.name, record);
  const { routing } = await observe(locationOf(context, record));
  const { slot } = adoption;
  const other = otherSlot(slot);
  if (routing === undefined) {
    throw refuse(
      `The Ingress ${adoption.ingress.name} is gone or leads elsewhere, so its traffic cannot be given back.`,
      "`modelswitch up` makes it as the record says; then run this again.",
    );
  }
  const split = splitOf(routing);
  if (split[slot] !== 100 || routing.main !== slot) {
    throw refuse(
      `${other} carries ${split[other]} % of the traffic, and ${other} would be deleted: only ${slot} is what was found.`,
      `Send the traffic back first: \`modelswitch switch ${slot}\`, then \`modelswitch adopt --undo\`.`,
    );
  }
  for (const kind of adoptedKinds(adoption)) {
    // It goes and comes with the number of replicas: the one that was found is made anew.
    if (kind === "autoscaler") continue;
    if ((await adoptedObject({ api, namespace }, adoption, kind)) !== undefined) continue;
    throw refuse(
      `The ${kindNames[kind]} ${foundOf(adoption, kind).name} is not the one that was found: it was deleted, or made anew.`,
      "`modelswitch destroy` deletes the model; deploy what you had from your own manifests.",
    );
  }
  const release = releaseOf(record, slot);
  return {
    record,
    adoption,
    laterImage: release?.number === adoption.release ? undefined : release?.spec.image,
  };
}

/** What giving back would do, line by line. Pure. */
export function undoLines({ record, adoption, laterImage }: PreparedUndo): string[] {
  const { deployment, service, ingress } = adoption;
  return [
    `Given back as they were found at ${adoption.at}: Deployment ${deployment.name}, Service ${service.name}, Ingress ${ingress.name}${autoscalerPart(adoption)}.`,
    ...(laterImage === undefined
      ? ["No pod restarts, and no request takes another way."]
      : [`The Deployment keeps what it runs now, ${laterImage}: a release went into it since.`]),
    `Deleted: the slot ${otherSlot(adoption.slot)} of ${record.model}, the rollout record and the Pulumi stack.`,
  ];
}

export interface UndoResult {
  readonly adoption: Adoption;
  readonly proof: UpProof;
  readonly totalMs: number;
}

/** Gives back what was adopted. Each step is idempotent: a run that was stopped is simply run again. */
export async function undoAdoption(
  context: RolloutContext,
  confirmed: (prepared: PreparedUndo) => Promise<boolean>,
): Promise<UndoResult> {
  const startedAt = context.clock.now();
  if (!(await confirmed(await prepareUndo(context)))) {
    throw new UserError({ code: "declined", message: "Nothing was changed, since the answer was no." });
  }
  await context.prepareSecrets();
  await context.prepareEngine();
  return await withLock(context.lockOptions("adopt --undo"), async (lock) => {
    lock.yieldTo(wayAsked(context));
    const { record, adoption } = await prepareUndo(context);
    const proof = await giveBack(context, lock, record, adoption);
    return { adoption, proof, totalMs: context.clock.now() - startedAt };
  });
}

/** Gives everything back as it was found, and forgets it. */
export async function giveBack(
  context: RolloutContext,
  lock: Lock,
  record: RolloutRecord,
  adoption: Adoption,
): Promise<UpProof> {
  const { events, namespace, store } = context;
  const before = await podsOf(context, record);
  const stack = await context.openStack(context.signal);
  const other = otherSlot(adoption.slot);
  await lock.close(`what was adopted is being given back, and ${other} is deleted`);
  await step(events, { id: "undo-record", title: "Remember that everything is given back" }, async () => {
    await store.update((stored) => stored && { ...stored, adoption: { ...adoption, state: "giving-back" } });
  });
  const routing = settledOn(adoption.slot);
  if (await stack.hasState()) {
    await step(events, { id: "undo-release", title: "Let Pulumi's state go of what was found" }, () =>
      stack.up({ spec: modelSpec(record, namespace, "give-back"), routing }),
    );
    await lock.check();
    await refuseDeletion(stack, adoption, namespace);
    await step(events, { id: "undo-delete", title: `Delete the slot ${other}` }, () =>
      stack.destroy({ remove: true }),
    );
  }
  await lock.check();
  await step(events, { id: "undo-restore", title: "Give the objects back as they were found" }, async () => {
    for (const kind of adoptedKinds(adoption)) await restoreObject(context, record, adoption, kind);
  });
  // Labels and owners were written, no pod: what is seen here is what anybody did besides.
  const after = await podsOf(context, record);
  if (JSON.stringify(before) !== JSON.stringify(after)) {
    events({
      type: "warning",
      code: "pods-changed",
      message: "While it was given back, pods changed. Nothing that was written makes pods restart.",
      hint: "Look at their events: kubectl describe pod.",
    });
  }
  await step(events, { id: "undo-forget", title: "Delete the rollout record" }, async () => {
    // With the record this command would not know any more what it had to do.
    await stack.removeState();
    await store.delete();
  });
  return await proveReturned(context, record, routing);
}

/** The last look before anything is deleted: what was found must leave the state unharmed. */
async function refuseDeletion(stack: ModelStack, adoption: Adoption, namespace: string): Promise<void> {
  const found = new Set(
    adoptedKinds(adoption).map((kind) => `${kindNames[kind]} ${namespace}/${foundOf(adoption, kind).name}`),
  );
  const doomed = (await stack.resources()).filter(
    ({ kind, id, retained }) => !retained && found.has(`${kind} ${id}`),
  );
  if (doomed.length === 0) return;
  throw new Error(
    `Pulumi would delete ${doomed.map(({ kind, id }) => `${kind} ${id}`).join(", ")}, which must stay: nothing was deleted.`,
  );
}
