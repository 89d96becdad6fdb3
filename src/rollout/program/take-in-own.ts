import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventSink } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { OperationResult, Stack, StackOptions } from "../../engine/stack.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import type { TakeIn } from "../../engine/take-in.ts";
import { typeOf } from "./declared-objects.ts";
import type { Desired } from "./model-program.ts";
import type { Told } from "./tell-undone.ts";
import { listed, refuseForeign, type UnknownObject, unknownObjects } from "./unknown-objects.ts";

/** What the program declares, what the state does not know and what is there all the same becomes a resource as it is. */
export async function takeInOwn(
  options: Told,
  stack: Stack,
  { spec }: Desired,
  inState: readonly StackResource[],
): Promise<void> {
  const ours = await ownUnknown(options, inState, spec);
  if (ours.length === 0) return;
  options.events({
    type: "warning",
    code: "taken-into-state",
    message: `Pulumi's state does not know ${listed(ours)}, which belong to ${spec.name}: they are taken into it as they are.`,
    hint: "Where another machine or program has a state of them, use that one alone from now on, or this one.",
  });
  await stack.takeIn(takenOf(spec, ours));
}

/** @throws UserError `object-taken` */
export async function ownUnknown(
  options: Told,
  inState: readonly StackResource[],
  spec: ModelSpec,
): Promise<readonly UnknownObject[]> {
  // Objects that are being adopted, or given back, are imported by the program itself.
  if (spec.adopted !== undefined && spec.adopted.phase !== "keep") return [];
  const found = await unknownObjects(options, spec, inState);
  refuseForeign(spec, found);
  return found.ours;
}

function takenOf(spec: ModelSpec, objects: readonly UnknownObject[]): TakeIn {
  return {
    parent: { type: "modelswitch:index:BlueGreenModel", name: spec.name },
    objects: objects.map(({ kind, name, live }) => ({ type: typeOf({ kind }), name, live })),
  };
}

/**
 * A preview beside the state, of a model that the state does not know: what `up` would change once it has taken it in. Providers
 * differ in what they say of objects that are there already.
 */
export async function previewTaken(
  options: Told,
  open: (more: Partial<StackOptions>) => Promise<Stack>,
  spec: ModelSpec,
): Promise<OperationResult> {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-plan-"));
  try {
    const quiet: EventSink = (event) => {
      if (event.type !== "resource" || event.status === "planned") options.events(event);
    };
    const scratch = await open({
      folder,
      backendUrl: `file://${folder}`,
      secrets: { kind: "passphrase", passphrase: "" },
      events: quiet,
    });
    const { ours } = await unknownObjects(options, spec, []);
    await scratch.takeIn(takenOf(spec, ours));
    return await scratch.preview();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
