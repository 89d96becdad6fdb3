import { readFile } from "node:fs/promises";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { isFields } from "../../core/fields.ts";
import { decodeText } from "../../core/text.ts";
import { readYaml } from "../../kubernetes/yaml.ts";
import { jsonErrorOffset } from "./json-place.ts";

/**
 * The text of a configuration file.
 * @throws UserError `config-missing`, `config-syntax`
 */
export async function configText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    throw new UserError({
      code: "config-missing",
      message:
        code === "ENOENT"
          ? `The configuration file ${file} does not exist.`
          : `The configuration file ${file} cannot be read: ${code === "EISDIR" ? "it is a folder" : messageOf(error)}`,
      hint: "Write one with `modelswitch init`, or name another with --config.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
  const decoded = decodeText(bytes);
  if ("text" in decoded) return decoded.text;
  throw new UserError({
    code: "config-syntax",
    message: `${file} ${decoded.problem}.`,
    hint: "Save the file as UTF-8.",
    exitCode: exitCodes.usage,
  });
}

/** A mistake that keeps the file from being read at all. */
export function syntaxError(where: string, reason: string, cause: unknown, hint?: string): UserError {
  return new UserError({
    code: "config-syntax",
    message: `${where}: ${reason}`,
    hint: hint ?? "Correct the syntax at that place.",
    exitCode: exitCodes.usage,
    cause,
  });
}

export function parseJson(file: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const offset = jsonErrorOffset(text);
    const lines = text.slice(0, offset).split("\n");
    const where = `${file}:${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
    if (text.trim() === "") throw syntaxError(where, "the file is empty", error, emptyHint);
    if (/^(\/\/|\/\*|#)/.test(text.slice(offset))) {
      const hint = "Remove it, or write the configuration in YAML or TypeScript, which have comments.";
      throw syntaxError(where, "a comment stands here, and JSON has none", error, hint);
    }
    // The engine's own message quotes the text around the mistake, which may be a secret.
    const found = offset >= text.length ? "the file ends" : `"${text[offset]}" stands`;
    throw syntaxError(where, `${found} where JSON expects something else`, error);
  }
  // JSON's own parser takes the last of two keys without a word.
  const read = readYaml(text);
  if ("mistake" in read && read.mistake.kind === "duplicate-key") {
    const { what, line, column } = read.mistake;
    throw syntaxError(`${file}:${line}:${column}`, what, undefined);
  }
  return value;
}

const emptyHint = "Write it with `modelswitch init`, or name another file with --config.";

export function parseYaml(file: string, text: string): unknown {
  const read = readYaml(text);
  if ("mistake" in read) {
    const { what, line, column } = read.mistake;
    throw syntaxError(`${file}:${line}:${column}`, what, undefined);
  }
  if (read.value === null) throw syntaxError(`${file}:1:1`, "the file is empty", undefined, emptyHint);
  return withoutHolders(read.value);
}

/** Keys at the top that only hold anchors for the rest: `x-…` as in Compose files, `.…` as in GitLab's. */
function withoutHolders(value: unknown): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !/^(x-|\.)/.test(key)));
}
