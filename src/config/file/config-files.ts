import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { SlotSpec } from "../../core/model.ts";
import { largestConfigFiles } from "../../core/slot-rules/contents.ts";
import type { ModelswitchConfig, Written } from "../model/types.ts";
import type { ConfigProblem } from "../parts/problem.ts";

type Files = NonNullable<Written<SlotSpec>["configFiles"]>;

/**
 * Puts the contents of files into the configuration that only names them: `configFiles: { "/etc/model.json": { file: "model.json" } }`.
 * @throws UserError `config-file-unreadable`, `config-invalid` (exit code 2)
 */
export async function withConfigFiles(config: ModelswitchConfig, file: string): Promise<ModelswitchConfig> {
  const { release, slots, ...rest } = config;
  const read = async <T extends { readonly configFiles?: Files }>(spec: T, place: string) => {
    const { configFiles, ...others } = spec;
    if (configFiles === undefined) return others;
    return { ...others, configFiles: await contentsOf(configFiles, file, place) };
  };
  return {
    ...rest,
    ...(release === undefined ? {} : { release: await read(release, "release") }),
    ...(slots === undefined
      ? {}
      : {
          slots: {
            blue: await read(slots.blue, "slots.blue"),
            green: await read(slots.green, "slots.green"),
          },
        }),
  };
}

/** What is wrong with the files that `configFiles` names; all of them are looked at. */
export async function unreadableConfigFiles(
  config: ModelswitchConfig,
  file: string,
): Promise<ConfigProblem[]> {
  const { release, slots } = config;
  const specs = [
    { at: ["release"], files: release?.configFiles },
    { at: ["slots", "blue"], files: slots?.blue.configFiles },
    { at: ["slots", "green"], files: slots?.green.configFiles },
  ];
  const problems: ConfigProblem[] = [];
  for (const { at, files = {} } of specs) {
    let size = 0;
    for (const [path, value] of Object.entries(files)) {
      const read =
        typeof value === "string" ? { text: value } : await readText(resolve(dirname(file), value.file));
      if ("problem" in read) problems.push({ path: [...at, "configFiles", path], message: read.problem });
      else size += Buffer.byteLength(read.text);
    }
    const message = sizeProblem(size);
    if (message !== undefined) problems.push({ path: [...at, "configFiles"], message });
  }
  return problems;
}

function sizeProblem(size: number): string | undefined {
  if (size <= largestConfigFiles) return undefined;
  return `are ${Math.ceil(size / 1024)} KiB together, but may be ${largestConfigFiles / 1024}`;
}

async function contentsOf(written: Files, file: string, place: string): Promise<Record<string, string>> {
  const entries = await Promise.all(
    Object.entries(written).map(async ([path, value]) => {
      if (typeof value === "string") return [path, value] as const;
      const source = resolve(dirname(file), value.file);
      return [path, await read(source, `${place}.configFiles[${JSON.stringify(path)}]`, file)] as const;
    }),
  );
  const size = entries.reduce((sum, [, contents]) => sum + Buffer.byteLength(contents), 0);
  const tooLarge = sizeProblem(size);
  if (tooLarge !== undefined) {
    throw new UserError({
      code: "config-invalid",
      message: `${file}: ${place}.configFiles: ${tooLarge}.`,
      hint: "Put large files into the image or the model.",
      exitCode: exitCodes.usage,
    });
  }
  return Object.fromEntries(entries);
}

async function read(source: string, place: string, file: string): Promise<string> {
  const found = await readText(source);
  if ("text" in found) return found.text;
  throw new UserError({
    code: "config-file-unreadable",
    message: `${file}: ${place}: ${found.problem}`,
    hint: "The path is relative to the configuration file. Binary files belong into the image, the model or a Secret.",
    exitCode: exitCodes.usage,
  });
}

/** As it is, a byte order mark included: what a model server reads is what the file holds. */
async function readText(source: string): Promise<{ readonly text: string } | { readonly problem: string }> {
  let bytes: Buffer;
  try {
    // A pipe would be waited for, a device never end.
    const found = await stat(source);
    const { size } = found;
    if (!found.isFile()) return { problem: `${source} is no file` };
    // Not even read.
    if (size > 16 * largestConfigFiles) {
      const [has, allowed] = [Math.ceil(size / 1024), largestConfigFiles / 1024];
      return { problem: `${source} has ${has} KiB, but all together may have ${allowed}` };
    }
    bytes = await readFile(source);
  } catch (error) {
    return { problem: `${source} cannot be read: ${messageOf(error)}` };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { problem: `${source} is not UTF-8 text.` };
  }
}
