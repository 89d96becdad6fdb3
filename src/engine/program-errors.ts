import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, UserError } from "../core/errors.ts";

/** Folder of our own modules. */
const ours = fileURLToPath(new URL("./", import.meta.url));

/** The first place in a stack trace that is neither a library's nor Node's nor ours. */
export function placeInProgram(stack: string): string | undefined {
  for (const line of stack.split("\n")) {
    const [, url] =
      /^\s*at (?:async |.*\()?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]+:\d+:\d+)\)?\s*$/.exec(line) ?? [];
    if (url === undefined || url.includes("node_modules")) continue;
    const place = url.startsWith("file://") ? pathOf(url) : url;
    if (place.startsWith(ours)) continue;
    const short = relative(process.cwd(), place);
    return short.startsWith("..") ? place : short;
  }
  return undefined;
}

/** Keeps line and column, and drops what was added to the address. */
function pathOf(url: string): string {
  const [, address = url, position = ""] = /^(.*?)(?:[?].*?)?((?::\d+){2})$/.exec(url) ?? [];
  return `${fileURLToPath(address)}${position}`;
}

/** The error of a user's program, said with the file and the line where it was thrown. */
export function programFailed(error: unknown): UserError {
  if (error instanceof UserError) return error;
  const message = messageOf(error);
  const place = error instanceof Error && error.stack !== undefined ? placeInProgram(error.stack) : undefined;
  const kind = error instanceof Error && error.name !== "Error" ? `${error.name}: ` : "";
  return new UserError({
    code: "program-failed",
    message: `The Pulumi program failed${place === undefined ? "" : ` at ${place}`}: ${kind}${message}`,
    cause: error,
    ...(place === undefined ? {} : { details: { place } }),
  });
}
