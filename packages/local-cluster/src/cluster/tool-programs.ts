import { type Tool, UserError } from "../../../../src/support.ts";

/** Path of one program of a tool. */
export function programOf(tool: Tool, name: string): string {
  const path = tool.programs[name];
  if (path === undefined) throw incomplete(tool, `program ${name}`);
  return path;
}

/** Path of one folder of a tool. */
export function folderOf(tool: Tool, name: string): string {
  const path = tool.folders[name];
  if (path === undefined) throw incomplete(tool, `folder ${name}`);
  return path;
}

function incomplete(tool: Tool, missing: string): UserError {
  return new UserError({
    code: "tool-incomplete",
    message: `${tool.name} ${tool.version} (from ${tool.origin}) has no ${missing}.`,
    hint: "Remove it from the cache and run the command again.",
  });
}
