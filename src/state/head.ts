import * as z from "zod";
import { exitCodes, UserError } from "../core/errors.ts";
import { stateSets } from "./names.ts";

/** One operation of Pulumi on the state: nothing else changes it. */
export interface OperationId {
  /** Counts up from 1. */
  readonly serial: number;
  /** Random: two copies of a Secret that went different ways may have the same serial. */
  readonly token: string;
}

/** What the head Secret says of the state of one stack. */
export interface Head extends OperationId {
  readonly version: 1;
  /** Random, one for each time that the state began anew. */
  readonly id: string;
  readonly project: string;
  readonly stack: string;
  /** Who began the operation, `user@host`. */
  readonly by: string;
  /** When, ISO 8601. */
  readonly at: string;
  /** The operation has begun and not said that it ended. */
  readonly open: boolean;
  /** The cluster may hold what the state does not know, since somebody's operation was never ended: it is read before the next one. */
  readonly stale: boolean;
  /** Where the state is; absent as long as nothing was written. */
  readonly saved?: SavedState | undefined;
  /** UID of the head Secret, once it is known: another one shows that the Secret was put back from somewhere. */
  readonly uid?: string | undefined;
}

/** The valid set of parts. */
export interface SavedState {
  readonly set: (typeof stateSets)[number];
  readonly parts: number;
  /** Of the text. */
  readonly sha256: string;
  /** Of the text. */
  readonly bytes: number;
  /** Of all parts together. */
  readonly packedBytes: number;
  /** The operation that wrote it. */
  readonly serial: number;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
}

const headSchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  project: z.string(),
  stack: z.string(),
  serial: z.number().int().min(1),
  token: z.string().min(1),
  by: z.string(),
  at: z.string(),
  open: z.boolean(),
  stale: z.boolean(),
  saved: z
    .object({
      set: z.enum(stateSets),
      parts: z.number().int().min(1),
      sha256: z.string(),
      bytes: z.number(),
      packedBytes: z.number(),
      serial: z.number().int(),
      by: z.string(),
      at: z.string(),
    })
    .optional(),
  uid: z.string().optional(),
});

/** Reads what the head Secret holds. @throws UserError `state-unreadable`, `state-version` (exit code 2) */
export function parseHead(text: string | undefined, where: string): Head {
  const value = jsonOf(text);
  if (typeof value === "object" && value !== null && "version" in value) {
    const { version } = value;
    if (typeof version === "number" && version > 1) throw tooNew(where);
  }
  const parsed = headSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreadable(where, `${issue?.path.join(".") || "the document"}: ${issue?.message ?? "unexpected"}`);
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** The error for a head Secret that does not say what it has to. */
export function unreadable(where: string, why: string): UserError {
  return new UserError({
    code: "state-unreadable",
    message: `The Secret ${where}, which says where Pulumi's state is and holds its key, cannot be read: ${why}. Nothing was done.`,
    hint: "Restore it from a backup, or delete it: the next `modelswitch up` takes the model's objects as they are into a new state.",
    exitCode: exitCodes.usage,
    details: { secret: where },
  });
}

function tooNew(where: string): UserError {
  return new UserError({
    code: "state-version",
    message: `A newer modelswitch wrote the Secret ${where}, which says where Pulumi's state is.`,
    hint: "Use that version.",
    exitCode: exitCodes.usage,
  });
}
