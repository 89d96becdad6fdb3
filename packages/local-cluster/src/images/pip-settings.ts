import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** What decides where packages come from; anything else on the host (`user`, `target`, `prefix` …) is not for a build. */
const forBuilds = new Set([
  "index-url",
  "extra-index-url",
  "trusted-host",
  "no-index",
  "find-links",
  "proxy",
  "timeout",
  "retries",
  "client-cert",
  "cert",
]);

export type PipSettings = Readonly<Record<string, string>>;

/** The `[global]` and `[install]` settings of a pip configuration file (INI, values may go on over indented lines). */
export function parsePipConfiguration(text: string): PipSettings {
  const settings: Record<string, string> = {};
  let inScope = false;
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line) || line.trim() === "") continue;
    const section = /^\[(.+)\]\s*$/.exec(line);
    if (section !== null) {
      inScope = section[1] === "global" || section[1] === "install";
      key = undefined;
      continue;
    }
    if (!inScope) continue;
    if (/^\s/.test(line) && key !== undefined) {
      settings[key] = `${settings[key] ?? ""} ${line.trim()}`.trim();
      continue;
    }
    const pair = /^([^=:\s]+)\s*[=:]\s*(.*)$/.exec(line);
    if (pair?.[1] === undefined) continue;
    key = canonical(pair[1]);
    settings[key] = pair[2]?.trim() ?? "";
  }
  return settings;
}

/** `PIP_INDEX_URL` and its like. */
export function pipEnvironment(env: Readonly<Record<string, string | undefined>>): PipSettings {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("PIP_") && value) settings[canonical(name.slice("PIP_".length))] = value;
  }
  return settings;
}

/**
 * The host's settings as a build can use them: only those that say where packages come from, no folders of the host (a build does not
 * see them), certificates as they are: the caller mounts them.
 */
export function settingsForBuild(...sources: readonly PipSettings[]): PipSettings {
  const merged: Record<string, string> = {};
  for (const source of sources) {
    for (const [key, value] of Object.entries(source)) {
      if (!forBuilds.has(key)) continue;
      if (key !== "find-links") {
        merged[key] = value;
        continue;
      }
      const reachable = value.split(/\s+/).filter((place) => /^https?:/.test(place));
      if (reachable.length > 0) merged[key] = reachable.join("\n    ");
    }
  }
  return merged;
}

export function renderPipConfiguration(settings: PipSettings): string {
  return `[global]\n${Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("")}`;
}

/** The host's pip settings, from its files and the environment, in pip's order of precedence. */
export async function hostPipSettings(
  env: Readonly<Record<string, string | undefined>>,
): Promise<PipSettings> {
  const home = env.HOME || homedir();
  const own = env.PIP_CONFIG_FILE;
  // pip's rule: this variable set to the null device switches all files off.
  const files =
    own === "/dev/null"
      ? []
      : [
          "/etc/xdg/pip/pip.conf",
          "/etc/pip.conf",
          join(home, ".pip", "pip.conf"),
          join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "pip", "pip.conf"),
          ...(own ? [own] : []),
        ];
  const contents = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
  return settingsForBuild(...contents.map(parsePipConfiguration), pipEnvironment(env));
}

function canonical(key: string): string {
  const name = key.toLowerCase().replaceAll("_", "-");
  return name === "default-timeout" ? "timeout" : name;
}
