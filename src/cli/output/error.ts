import { type ExitCode, exitCodes, interrupted, messageOf, UserError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import { forbiddenError } from "../../kubernetes/forbidden.ts";
import { helperDown, helperFailure } from "../../kubernetes/helpers-down.ts";
import type { Colors } from "./colors.ts";

/** Where defects are reported. */
export const reportAddress = "the project's issue tracker";

/** What is shown of an error, for people and for programs. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Everything there is, for --debug. */
  readonly stack: string;
}

export interface Interruption {
  /** The command as the user typed it, for example `modelswitch up`. */
  readonly what: string;
  readonly hint: string | undefined;
}

/** Turns whatever was thrown into what is shown. `interruption` is given when the user has stopped the command. */
export function reportOf(error: unknown, interruption?: Interruption): ErrorReport {
  const stack = stackOf(error);
  const shown = interruption === undefined ? error : whileStopping(error, interruption);
  if (shown instanceof UserError) {
    const { code, message, hint, exitCode, details } = shown;
    return { code, message, hint, exitCode, details, stack };
  }
  if (shown instanceof KubernetesApiError) return { ...apiReport(shown), stack };
  if (isDiskFull(shown)) {
    return {
      code: "disk-full",
      message: `A file could not be written: ${shown.message}`,
      hint: "Make room where the state is (.modelswitch beside the configuration file, or the folder that the message names), then run the command again; it goes on from there.",
      exitCode: exitCodes.failed,
      details: undefined,
      stack,
    };
  }
  const message = shown instanceof Error ? `${shown.name}: ${shown.message}` : String(shown);
  return {
    code: "defect",
    message: `modelswitch has a defect: ${message}`,
    hint: `Please report it to ${reportAddress}, with the output of the same command with --debug.`,
    exitCode: exitCodes.failed,
    details: undefined,
    stack,
  };
}

function whileStopping(error: unknown, { what, hint }: Interruption): UserError {
  const own = error instanceof UserError && error.exitCode === exitCodes.interrupted ? error : undefined;
  const plain = interrupted(what, own?.hint ?? hint);
  if (own !== undefined || isAbort(error)) return plain;
  const reason = messageOf(error);
  return interrupted(what, [hint, `While it stopped: ${reason}`].filter(Boolean).join("\n"));
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === "AbortError" || ("code" in error && error.code === "ABORT_ERR"))
  );
}

function isDiskFull(error: unknown): error is Error {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function apiReport(error: KubernetesApiError): Omit<ErrorReport, "stack"> {
  const denied = error.status === 403 ? forbiddenError(error.message) : undefined;
  if (denied !== undefined) {
    const { code, message, hint, exitCode, details } = denied;
    return { code, message, hint, exitCode, details };
  }
  const helper = helperFailure(error.message);
  if (helper !== undefined) {
    const { code, message, hint, exitCode, details } = helperDown(helper, "A request was not carried out");
    return { code, message, hint, exitCode, details };
  }
  const causes = error.causes.map((cause) => `  ${cause.field ?? ""}: ${cause.message ?? ""}`);
  const hints: Readonly<Record<number, string>> = {
    401: "The credentials are not valid (any more): log in again, or choose another context with --context.",
    403: "A rule of the cluster refuses it (a quota, pod security, an admission webhook), or a permission is missing: `modelswitch doctor` lists these.",
    404: "`modelswitch doctor` checks namespace, IngressClass and permissions.",
    429: "The API server is overloaded; try again in a while.",
  };
  return {
    code: "kubernetes-api-error",
    message: [`The API server refused a request: ${error.message}`, ...causes].join("\n"),
    hint: hints[error.status],
    exitCode: exitCodes.failed,
    details: { status: error.status, reason: error.reason },
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}

/** Lines for people: what and why, then the hint; the stack only with --debug. */
export function errorLines(report: ErrorReport, colors: Colors, debug: boolean): string[] {
  const [first = "", ...rest] = printable(report.message).split("\n");
  const lines = [`${colors.red(colors.bold("error"))}: ${first}`, ...rest];
  if (report.hint !== undefined) {
    const [head = "", ...tail] = printable(report.hint).split("\n");
    lines.push(`${colors.bold("hint")}: ${head}`, ...tail.map((line) => `      ${line}`));
  }
  if (debug)
    lines.push(colors.dim(report.stack), colors.dim(`(${report.code}, exit code ${report.exitCode})`));
  return lines;
}

/** The document of `--json`. */
export function errorDocument(report: ErrorReport, debug: boolean): Record<string, unknown> {
  const { code, message, hint, exitCode, details } = report;
  return {
    type: "error",
    schemaVersion: 1,
    error: { code, message, hint, exitCode, details, ...(debug ? { stack: report.stack } : {}) },
  };
}
