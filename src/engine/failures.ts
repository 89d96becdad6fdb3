import { exitCodes, interrupted, UserError } from "../core/errors.ts";
import type { Refusal } from "../core/refusals.ts";
import { withoutCredentials } from "../core/urls.ts";
import { parseForbidden, permissionDenied } from "../kubernetes/forbidden.ts";
import { helperDown, helperFailure } from "../kubernetes/helpers-down.ts";
import { type Diagnostic, describeUrn, type Observed, plainText } from "./engine-events.ts";
import type { StackLock } from "./locks.ts";
import { placeInProgram } from "./program-errors.ts";
import type { CommandOutput } from "./pulumi-command.ts";

export const operationTitles = {
  preview: "The preview",
  up: "The update",
  refresh: "The refresh",
  destroy: "The removal",
} as const;

export interface FailureContext {
  readonly project: string;
  readonly stack: string;
  readonly backendUrl: string;
  readonly operation: (typeof operationTitles)[keyof typeof operationTitles];
  readonly aborted: boolean;
  /** What our own hooks refused during the operation. */
  readonly refusals?: readonly Refusal[];
}

/** What failed, as the details of `deployment-failed` have it. */
export interface FailedWrite {
  readonly urn?: string;
  readonly kind?: string;
  /** The object's name. */
  readonly name?: string;
  readonly message: string;
  /** It was written, and did not become ready in time. */
  readonly unready?: boolean;
}

/** Makes the error that a user sees of what the CLI and the engine said. */
export function explainFailure(
  output: CommandOutput,
  observed: Observed,
  context: FailureContext,
): UserError {
  if (context.aborted) {
    return interrupted(
      `${context.operation} of stack ${context.stack}`,
      "The state is saved; the next run continues from it.",
    );
  }
  const text = plainText(`${output.stderr}\n${output.stdout}`);
  return (
    passphraseError(text, context) ??
    backendError(text, context) ??
    refusedError(observed, context) ??
    permissionError(observed, context) ??
    helperError(observed, context) ??
    resourceError(observed, context) ??
    killedError(output, context) ??
    new UserError({
      code: "pulumi-failed",
      message: `${context.operation} of stack ${context.stack} failed: ${withoutCredentials(errorLines(text))}`,
      details: { project: context.project, stack: context.stack, exitCode: output.code },
    })
  );
}

function passphraseError(text: string, context: FailureContext): UserError | undefined {
  if (/incorrect passphrase/.test(text)) return passphraseWrong(context);
  if (/passphrase must be set/.test(text)) return passphraseMissing();
  return undefined;
}

/** The error when the passphrase is another stack's. */
export function passphraseWrong(about: Pick<FailureContext, "stack" | "backendUrl">): UserError {
  return new UserError({
    code: "passphrase-wrong",
    message: `The passphrase does not open the secrets of stack ${about.stack} in ${withoutCredentials(about.backendUrl)}.`,
    hint: "Set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the passphrase that the stack was made with.",
    exitCode: exitCodes.usage,
  });
}

/** The error when nothing says how the secrets in the state are encrypted. */
export function passphraseMissing(): UserError {
  return new UserError({
    code: "passphrase-missing",
    message: "The secrets in the state are encrypted with a passphrase, and none is set.",
    hint: "Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it (an empty PULUMI_CONFIG_PASSPHRASE is allowed), or name a secrets provider (pulumi.secretsProvider).",
    exitCode: exitCodes.usage,
  });
}

/** What the CLI says when it cannot reach, open or log in to the backend: the line that matters. */
const backendComplaints = [
  /unable to open bucket[^\n]*/i,
  /unable to check if bucket[^\n]*/i,
  /no driver registered[^\n]*/i,
  /read "\.pulumi\/meta\.yaml"[^\n]*/i,
  /PULUMI_ACCESS_TOKEN must be set[^\n]*/i,
  /invalid access token[^\n]*/i,
  /(?:problem|error) logging in[^\n]*/i,
  /performing HTTP request[^\n]*/i,
];

function backendError(text: string, context: FailureContext): UserError | undefined {
  const said = backendComplaints
    .map((complaint) => complaint.exec(text)?.[0])
    .find((found) => found !== undefined);
  if (said === undefined) return undefined;
  return new UserError({
    code: "backend-unusable",
    message: `The Pulumi backend ${withoutCredentials(context.backendUrl)} cannot be used: ${withoutCredentials(said)}`,
    hint: "Check the URL (pulumi.backend in the configuration, backend.url in Pulumi.yaml, or PULUMI_BACKEND_URL), the network and the credentials; without one the state is kept in .modelswitch/state.",
  });
}

function killedError(output: CommandOutput, context: FailureContext): UserError | undefined {
  if (output.endedBy === undefined) return undefined;
  return new UserError({
    code: "pulumi-killed",
    message: `${context.operation} of stack ${context.stack} stopped: the Pulumi CLI was ended by ${output.endedBy}.`,
    hint: "What it had done is in the state. Run the command again; it continues from there.",
  });
}

/** Our own hooks refused: the engine has their text, and code and hint were noted beside it. */
function refusedError(observed: Observed, context: FailureContext): UserError | undefined {
  // What was refused while the program ran is said by no resource.
  const errors = resourceErrors(observed).length > 0 ? resourceErrors(observed) : allErrors(observed);
  const refusalOf = (one: Diagnostic) =>
    context.refusals?.find(({ urn, message }) => urn === one.urn || one.message.includes(message));
  const [first, ...others] = errors.map(refusalOf);
  // Whatever failed beside it would be lost.
  if (first === undefined || others.includes(undefined)) return undefined;
  const refusals = new Map([first, ...others].map((one) => [one?.message, one]));
  const { kind, name } = describeUrn(first.urn);
  const where = first.urn === "" ? "" : ` at ${kind} ${name}`;
  return new UserError({
    code: first.code,
    message: `${context.operation} of stack ${context.stack} was refused${where}: ${[...refusals.keys()].join("\n")}`,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    exitCode: first.exitCode,
    details: { ...first.details, urn: first.urn },
  });
}

/** The account lacks a permission: what is shown says which, whatever the provider made of the answer. */
function permissionError(observed: Observed, context: FailureContext): UserError | undefined {
  const errors = observed.diagnostics.filter((one) => one.severity === "error" && !isEcho(one.message));
  const denials = errors.map(({ message }) => parseForbidden(message));
  const [first] = denials;
  // Whatever failed beside it would be lost.
  if (first === undefined || denials.includes(undefined)) return undefined;
  const { user, namespace } = first;
  const permissions = denials.flatMap((one) =>
    one === undefined || one.namespace !== namespace || one.user !== user
      ? []
      : [{ verb: one.verb, group: one.group, resource: one.resource, ...named(one.name) }],
  );
  const saved =
    context.operation === operationTitles.preview ? "" : " What succeeded before is saved in the state.";
  return permissionDenied(
    { permissions, namespace, user },
    { before: `${context.operation} of stack ${context.stack} failed.${saved}` },
  );
}

/** Somebody whom the API server asks was down: what is shown says who. */
function helperError(observed: Observed, context: FailureContext): UserError | undefined {
  const errors = resourceErrors(observed);
  const failures = errors.map(({ message }) => helperFailure(message));
  const [first] = failures;
  // Whatever failed beside it would be lost.
  if (first === undefined || failures.some((one) => one?.name !== first.name)) return undefined;
  const what = errors.map(({ urn = "" }) => describeUrn(urn)).map(({ kind, name }) => `${kind} ${name}`);
  const about = `${context.operation} of stack ${context.stack} failed at ${[...new Set(what)].join(", ")}`;
  return helperDown(first, about);
}

const named = (name: string | undefined) => (name === undefined ? {} : { name });

function allErrors(observed: Observed): readonly Diagnostic[] {
  return observed.diagnostics.filter((one) => one.severity === "error" && !isEcho(one.message));
}

function resourceErrors(observed: Observed): readonly Diagnostic[] {
  return allErrors(observed).filter((one) => one.urn !== undefined && !isStack(one.urn));
}

function resourceError(observed: Observed, context: FailureContext): UserError | undefined {
  const errors = observed.diagnostics.filter((one) => one.severity === "error" && !isEcho(one.message));
  if (errors.length === 0) return undefined;
  const onResources = resourceErrors(observed);
  const shown = onResources.length > 0 ? onResources : errors;
  const reasons = [...new Set(shown.map(reasonOf))];
  const about = `${context.operation} of stack ${context.stack} failed`;
  const isProgram = onResources.length === 0;
  return new UserError({
    code: isProgram ? "program-failed" : "deployment-failed",
    message:
      reasons.length === 1
        ? `${about}: ${reasons[0]}`
        : `${about}:\n${reasons.map((reason) => `- ${reason}`).join("\n")}`,
    ...(isProgram || context.operation === operationTitles.preview
      ? {}
      : {
          hint: "What succeeded is saved in the state. Mend the cause and run the command again; it continues from there.",
        }),
    details: {
      resources: shown.map((one): FailedWrite => {
        const about = observed.failed.find(({ urn }) => urn === one.urn);
        return {
          ...(one.urn === undefined ? {} : { urn: one.urn }),
          ...(about === undefined ? {} : { kind: about.kind, name: about.name }),
          message: one.message,
          ...(one.unready === true ? { unready: true } : {}),
        };
      }),
    },
  });
}

function reasonOf(diagnostic: Diagnostic): string {
  const reason = withoutTrace(
    diagnostic.message.replace(/^error: /, "").replace(/^Unhandled exception: /, ""),
  );
  if (diagnostic.urn === undefined || isStack(diagnostic.urn)) return reason;
  const { kind, name } = describeUrn(diagnostic.urn);
  return `${kind} ${name}: ${reason}`;
}

/** Of a stack trace only the place in the user's program helps. */
function withoutTrace(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (first === -1) return text;
  const place = placeInProgram(text);
  const message = lines
    .slice(0, first)
    .join("\n")
    .replace(/^Error: /, "");
  return place === undefined ? message : `${message} (at ${place})`;
}

function isStack(urn: string): boolean {
  return describeUrn(urn).kind === "pulumi:pulumi:Stack";
}

/** Lines that only say that something else failed. */
function isEcho(message: string): boolean {
  return /^(error: )?((update|preview|refresh|destroy|resource operation) (failed|canceled)$|One or more errors occurred|Running program .* failed with an unhandled exception)/i.test(
    message,
  );
}

function errorLines(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  // Several errors stand as a list below a line that only counts them.
  const errors = lines
    .filter((line) => /^(error: |\* )/.test(line) && !/^error: \d+ errors? occurred:$/.test(line))
    .map((line) => line.replace(/^(error: |\* )/, ""));
  return (errors.length > 0 ? errors : lines.filter((line) => line !== "").slice(-5)).join("\n");
}

/** Another run works on the stack. */
export function lockedError(locks: readonly StackLock[], context: FailureContext, now: number): UserError {
  const [lock] = locks;
  const holder =
    lock === undefined
      ? "another update"
      : `${lock.username} on ${lock.hostname} (process ${lock.pid}) since ${new Date(lock.since).toISOString()}, ${ago(now - lock.since)}`;
  return new UserError({
    code: "stack-locked",
    message: `Stack ${context.stack} of project ${context.project} is locked by ${holder}.`,
    hint:
      lock === undefined
        ? "Wait for it to end. If it was killed, `pulumi cancel` removes its lock."
        : `Wait for it to end. If that run is gone for certain, delete its lock: ${withoutCredentials(lock.url).replace(/[?].*/, "")}`,
    exitCode: exitCodes.locked,
    details: { locks: locks.map((one) => ({ ...one, url: withoutCredentials(one.url) })) },
  });
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "less than a minute ago";
  if (minutes < 120) return `${minutes} min ago`;
  return `${Math.floor(minutes / 60)} h ago`;
}
