import { messageAndHint, UserError } from "../../core/errors.ts";
import { placeOf } from "../../core/urls.ts";

/** One mistake in the configuration. */
export interface ConfigProblem {
  /** Keys from the top, for example `["ingress", "tls", 0, "secretName"]`. */
  readonly path: readonly (string | number)[];
  /** What is wrong, to be read after the path: `is missing`, `"gren" is none of blue, green`. */
  readonly message: string;
}

/** What a check refuses, in its own words. */
export function refusal(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return messageAndHint(error);
  }
}

const identifier = /^[A-Za-z_$][\w$]*$/;

/** `ingress.tls[0].secretName`; keys that are no identifiers are quoted: `annotations["a/b"]`. */
export function describePath(path: readonly (string | number)[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (identifier.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text === "" ? "the configuration" : text;
}

const secretName = /pass(word|phrase|wd)?|secret|token|credential|api_?-?key|private|auth|cookie|dsn/i;
/** Names that only sound like secrets. */
const harmless = new Set([
  "secretName",
  "secretsProvider",
  "secret",
  "secrets",
  "imagePullSecrets",
  "mountServiceAccountToken",
]);

/** Whether the value at a path may be a secret and is therefore never echoed. */
export function mayBeSecret(path: readonly (string | number)[]): boolean {
  return path.some((key, index) => {
    const name = String(key);
    if (harmless.has(name)) return false;
    return secretName.test(name) || (index > 0 && path[index - 1] === "env");
  });
}

/** Whether a path leads to an address that is called: its path and query may be a secret. */
export function isCallUrl(path: readonly (string | number)[]): boolean {
  return (
    path[0] === "rollout" &&
    ["hooks", "gates", "notifications"].includes(String(path[1])) &&
    path.at(-1) === "url"
  );
}

/** A value as a message shows it: one short line, secrets and credentials in URLs hidden. */
export function showValue(value: unknown, path: readonly (string | number)[]): string {
  if (mayBeSecret(path) && (typeof value === "string" || typeof value === "number")) return "[hidden]";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  if (isCallUrl(path)) return placeOf(value);
  if (value.includes("\n")) return `a text of ${value.split("\n").length} lines`;
  const safe = value.replace(/(\/\/)[^@/\s]+@/g, "$1[hidden]@");
  return JSON.stringify(safe.length > 80 ? `${safe.slice(0, 77)}...` : safe);
}
