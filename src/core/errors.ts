/** Exit codes of every command. They are part of the public interface. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  gateRefused: 3,
  locked: 4,
  held: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface UserErrorOptions {
  /** Stable, kebab-case identifier for scripts, for example `slot-not-ready`. */
  readonly code: string;
  /** What happened and why, with the names and values involved. One sentence or a short list. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string;
  /** @default 1 (failed) */
  readonly exitCode?: ExitCode;
  /** Machine-readable facts for `--json`. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The same in every copy of this package in a process. */
const brand = Symbol.for("modelswitch.UserError");

/**
 * An error that is shown to the user as it is: what happened, why, and what to do next.
 * Everything else that is thrown is a defect and is rendered with a request to report it. One of another copy of this package is one, too: a program's own,
 * or the one that `@modelswitch/local-cluster` has found.
 */
export class UserError extends Error {
  /** Whether any copy of this package has made it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }

  override readonly name = "UserError";
  readonly [brand] = true;
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(options: UserErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodes.failed;
    this.details = options.details;
  }
}

/** What anything that was thrown says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an error says, with what to do next, where only a text is passed on. */
export function messageAndHint({ message, hint }: Pick<UserError, "message" | "hint">): string {
  return [message, hint].filter(Boolean).join(" ");
}

/** Whether something ended because somebody stopped it: that is no failure. */
export function isInterrupted(error: unknown): boolean {
  return error instanceof UserError && error.exitCode === exitCodes.interrupted;
}

/** The error for a command that the user (or a signal) stopped. */
export function interrupted(what: string, hint?: string): UserError {
  return new UserError({
    code: "interrupted",
    message: `${what} was interrupted.`,
    ...(hint === undefined ? {} : { hint }),
    exitCode: exitCodes.interrupted,
  });
}

/** Whether an import failed since this package itself is not installed, rather than something that it imports. */
export function isNotInstalled(error: unknown, packageName: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ERR_MODULE_NOT_FOUND" && message.includes(packageName);
}
