import { KubernetesApiError } from "../kubernetes/api.ts";
import { isList, isMap, type PropertyMap, type PropertyValue, Secret } from "./struct.ts";

/**
 * The object exists but has not become what was asked for. The engine keeps the given state, marks the resource
 * as not initialised, and continues with it in the next run.
 */
export class InitializationError extends Error {
  override readonly name = "InitializationError";
  readonly id: string;
  readonly state: PropertyMap;
  readonly inputs: PropertyMap | undefined;
  readonly reasons: readonly string[];

  constructor(
    message: string,
    about: {
      readonly id: string;
      readonly state: PropertyMap;
      readonly inputs?: PropertyMap;
      readonly reasons: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause });
    this.id = about.id;
    this.state = about.state;
    this.inputs = about.inputs;
    this.reasons = about.reasons;
  }
}

/** Message of anything that was thrown; a `UserError`'s hint comes with it. */
export function messageWithHint(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!("hint" in error) || typeof error.hint !== "string") return error.message;
  return `${error.message}${/[.!?]$/.test(error.message) ? "" : "."} ${error.hint}`;
}

/** The refusal to change a field that belongs to the object for life, with the way out. */
export function describeImmutable(message: string): string {
  const immutable = /immutable|may not (?:be changed|change once set)|updates to .* forbidden/i.test(message);
  if (!immutable) return message;
  const field = /: ([A-Za-z][\w.[\]]*): (?:Invalid value|Forbidden)/.exec(message)?.[1] ?? "spec";
  return (
    `${message}. Nothing was changed. To have the object replaced by a new one, name the field in the resource option ` +
    `replaceOnChanges: ["${field}"], with deleteBeforeReplace: true if its name is fixed.`
  );
}

/** What a refused server-side apply says: which field belongs to whom, and how to go on. */
export function describeConflict(error: KubernetesApiError, fieldManager: string): string {
  const owned = conflicts(error).map(({ field, owner }) => `${field} belongs to "${owner}"`);
  if (owned.length === 0) return error.message;
  return (
    `Another owner has set fields that this program declares: ${owned.join("; ")} ` +
    `(this program applies as "${fieldManager}"). Nothing was changed. Take the fields over with the annotation ` +
    `pulumi.com/patchForce: "true" or the provider's enablePatchForce, or leave them to their owner with ignoreChanges.`
  );
}

/** The owners in whose way an apply is. */
export function conflictOwners(error: KubernetesApiError): readonly string[] {
  return conflicts(error).map(({ owner }) => owner);
}

function conflicts(error: KubernetesApiError): readonly { readonly field: string; readonly owner: string }[] {
  return error.causes
    .filter((cause) => cause.reason === "FieldManagerConflict")
    .map((cause) => ({
      field: (cause.field ?? "").replace(/^\./, ""),
      owner: /conflict with "([^"]+)"/.exec(cause.message ?? "")?.[1] ?? "another manager",
    }));
}

/** Replaces every secret text in a message; answers of the API server quote the values that they refuse. */
export function redact(message: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.replaceAll(secret, "[secret]"), message);
}

/**
 * All secret texts in inputs, longest first: as they are, as base64, as quoted in a message, and line by line as a log
 * shows them. Very short ones would mangle messages.
 */
export function secretTexts(inputs: PropertyMap): readonly string[] {
  const found = new Set<string>();
  const add = (value: string) => {
    const decoded = Buffer.from(value, "base64").toString("utf8");
    for (const form of [value, decoded, Buffer.from(value).toString("base64")]) {
      if (form.length >= 3) found.add(form);
      for (const line of form.includes("\n") ? form.split("\n") : []) {
        if (line.trim().length >= 6) found.add(line.trim());
      }
      const quoted = JSON.stringify(form).slice(1, -1);
      if (quoted.length >= 3) found.add(quoted);
    }
  };
  const walk = (value: PropertyValue, secret: boolean) => {
    if (value instanceof Secret) walk(value.value, true);
    else if (isList(value)) for (const inner of value) walk(inner, secret);
    else if (isMap(value)) for (const inner of Object.values(value)) walk(inner, secret);
    else if (secret && typeof value === "string") add(value);
  };
  walk(inputs, false);
  return [...found].sort((a, b) => b.length - a.length);
}

export function isApiError(error: unknown): error is KubernetesApiError {
  return error instanceof KubernetesApiError;
}
