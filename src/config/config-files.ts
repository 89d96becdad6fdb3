import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import type { SlotSpec } from "../core/model.ts";
import { largestConfigFiles } from "../core/slot-rules/contents.ts";
import type { ModelswitchConfig, Written } from "./types.ts";

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

async function contentsOf(written: Files, file: string, place: string): Promise<Record<string, string>> {
  const entries = await Promise.all(
    Object.entries(written).map(async ([path, value]) => {
      if (typeof value === "string") return [path, value] as const;
      const source = resolve(dirname(file), value.file);
      return [path, await read(source, `${place}.configFiles[${JSON.stringify(path)}]`, file)] as const;
    }),
  );
  const size = entries.reduce((sum, [, contents]) => sum + Buffer.byteLength(contents), 0);
  if (size > largestConfigFiles) {
    throw new UserError({
      code: "config-invalid",
      message: `${file}: ${place}.configFiles: are ${Math.ceil(size / 1024)} KiB together, but may be ${largestConfigFiles / 1024}.`,
      hint: "Put large files into the image or the model.",
      exitCode: exitCodes.usage,
    });
  }
  return Object.fromEntries(entries);
}

async function read(source: string, place: string, file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(source);
  } catch (error) {
    throw new UserError({
      code: "config-file-unreadable",
      message: `${file}: ${place}: ${source} cannot be read: ${messageOf(error)}`,
      hint: "The path is relative to the configuration file.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UserError({
      code: "config-file-unreadable",
      message: `${file}: ${place}: ${source} is not UTF-8 text.`,
      hint: "Put binary files into the image, the model or a Secret.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}
