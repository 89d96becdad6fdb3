import type { Head, OperationId } from "./head.ts";

/** What a machine has of a state: which operations led to its copy, the newest last. */
export interface LocalCopy {
  /** Of the state that they are of. */
  readonly id: string;
  readonly operations: readonly OperationId[];
}

/** Which copy of a state an operation goes on from, and why. */
export interface Choice {
  readonly from: "secret" | "local" | "nothing";
  /** Whether the cluster is to be read into it first: it may hold what this copy does not know. */
  readonly refresh: boolean;
  readonly why: CopyReason;
}

export type CopyReason =
  /** There is no state yet. */
  | "new"
  /** Nothing is out of the ordinary. */
  | "usual"
  /** An operation of this machine did not come to its end, and nobody worked on the state since. */
  | "killed-here"
  /** An operation of another machine did not come to its end. */
  | "killed-elsewhere"
  /** An earlier one was taken over, and not all of it is known yet. */
  | "stale"
  /** Somebody put an older Secret back. */
  | "rolled-back"
  /** The Secrets are gone. */
  | "deleted"
  /** Parts of the state are missing, or are others. */
  | "damaged";

/** What is known of both copies. */
export interface Copies {
  readonly head: Head | undefined;
  /** Somebody else than modelswitch wrote the head Secret last: it may be an older one that was put back. */
  readonly isForeign: boolean;
  readonly local: LocalCopy | undefined;
  /** The rollout record says that the state is in the cluster. @default false */
  readonly isRecorded?: boolean;
}

/**
 * The copy on this machine wins only where it descends from the head's operation, and nobody wrote since: else the Secret's does. Pure; the
 * lock of the model must be held where something is about to be changed.
 */
export function whichCopy({ head, isForeign, local, isRecorded = false }: Copies): Choice {
  if (head === undefined) {
    // A copy alone says nothing: somebody may have destroyed the model since, from another machine.
    return { from: "nothing", refresh: false, why: isRecorded ? "deleted" : "new" };
  }
  const ancestry = ancestryOf(head, local);
  const { stale, saved } = head;
  if (ancestry === "older") return { from: "local", refresh: true, why: "rolled-back" };
  if (ancestry === "same" && head.open) return { from: "local", refresh: stale, why: "killed-here" };
  const from = saved === undefined ? "nothing" : "secret";
  if (head.open) return { from, refresh: saved !== undefined, why: "killed-elsewhere" };
  // Also where this machine wrote that one: others may have written since, and theirs is gone.
  if (isForeign) return { from, refresh: saved !== undefined, why: "rolled-back" };
  return { from, refresh: stale, why: stale ? "stale" : "usual" };
}

/** What to go on from where the Secret's copy turned out to be unusable. Pure. */
export function withoutSecret({ head, local }: Pick<Copies, "head" | "local">): Choice {
  const isLocal = head !== undefined && ancestryOf(head, local) !== "none";
  return { from: isLocal ? "local" : "nothing", refresh: isLocal, why: "damaged" };
}

/** How the head's operation stands to those of the local copy: the newest of them, an older one, or none. */
function ancestryOf(head: Head, local: LocalCopy | undefined): "same" | "older" | "none" {
  if (local === undefined || local.id !== head.id) return "none";
  const at = local.operations.findLastIndex(
    ({ serial, token }) => serial === head.serial && token === head.token,
  );
  if (at < 0) return "none";
  return at === local.operations.length - 1 ? "same" : "older";
}
