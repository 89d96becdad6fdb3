import { mkdir, rm } from "node:fs/promises";
import { requireSuccess, runProgram } from "./run-program.ts";
import type { ToolContext } from "./source.ts";

/** Unpacks a tar archive (or, where tar is bsdtar, a zip) into a new folder and removes it. */
export async function unpack(
  archive: string,
  folder: string,
  context: ToolContext,
  options: { readonly withoutLeading?: number; readonly members?: readonly string[] } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  context.progress({ detail: "unpacking" });
  const result = await runProgram(
    "tar",
    [
      "-xf",
      archive,
      "-C",
      folder,
      `--strip-components=${options.withoutLeading ?? 0}`,
      ...(options.members ?? []),
    ],
    { env: context.env, signal: context.signal, timeoutMs: 10 * 60_000 },
  );
  requireSuccess(result, "Unpacking");
  await rm(archive);
}
