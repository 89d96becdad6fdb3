import { valueAt } from "../core/fields.ts";
import { hideTexts } from "../core/hidden-texts.ts";

/** What is secret of an object, wherever it is quoted. */
export function secretsAt(
  object: unknown,
  paths: readonly (readonly (string | number)[])[] = [],
): readonly string[] {
  return paths.flatMap((path) => secretTexts(valueAt(object, path)));
}

/** What a process is given, and may quote. Pulumi's provider takes a whole list for secret where an item of it is. */
function secretTexts(value: unknown, key = "value"): readonly string[] {
  if (typeof value === "string") return given.has(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    secretTexts(inner, Array.isArray(value) ? key : name),
  );
}

const given: ReadonlySet<string> = new Set(["value", "args", "command"]);

/** A log has its lines one by one, and so what is secret in them. */
export function withoutSecrets(line: string, secrets: readonly string[]): string {
  const parts = secrets.flatMap((secret) => secret.split("\n")).filter((part) => part.length >= shortest);
  return hideTexts(line, parts, "[secret]");
}

/** Hiding shorter ones would tell more than it hides. */
const shortest = 4;
