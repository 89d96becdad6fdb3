import type { EventSink } from "../../core/events.ts";
import type { OperationResult } from "../../engine/stack.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { findHandChanges } from "./find-hand-changes.ts";
import { describeHandChange, type HandChange } from "./hand-changes.ts";
import type { Desired } from "./model-program.ts";
import { putBack } from "./put-back.ts";

export interface UpWriteOptions {
  /** @default nothing */
  readonly putsBack?: (change: HandChange) => boolean;
}

/** Where to look, and who is told what was found. */
export interface Told {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/**
 * Runs `work`, in which Pulumi replaces without a word what others have changed of the objects that it writes, and says what that was. What
 * `putsBack` names is put back even where Pulumi had no reason to write.
 */
export async function tellingUndone(
  options: Told,
  desired: Desired,
  putsBack: UpWriteOptions["putsBack"],
  work: () => Promise<OperationResult>,
): Promise<OperationResult> {
  const look = () => findHandChanges(options, desired.spec, desired.routing);
  const changed = await look();
  if (changed.length === 0) return await work();
  try {
    const result = await work();
    const left = (await look()).filter((one) => putsBack?.(one) === true);
    if (left.length > 0) await putBack(options, desired, left);
    return result;
  } finally {
    const left = await look().catch(() => changed);
    tellUndone(options.events, changed, left);
  }
}

function tellUndone(events: EventSink, changed: readonly HandChange[], left: readonly HandChange[]): void {
  const undone = changed.filter(
    (one) =>
      !left.some(({ kind, name, path }) => kind === one.kind && name === one.name && path === one.path),
  );
  for (const object of new Set(undone.map(({ kind, name }) => `${kind} ${name}`))) {
    const fields = undone.filter(({ kind, name }) => `${kind} ${name}` === object);
    events({
      type: "warning",
      code: "hand-change-undone",
      message: `${object} had been changed by hand, and is as it is declared again. What differed: ${fields.map(describeHandChange).join("; ")}.`,
    });
  }
}
