import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/**
 * The user's state folder: MODELSWITCH_STATE, else XDG_STATE_HOME/modelswitch, else ~/.local/state/modelswitch.
 * Without symbolic links, since the kernel names mounts that way.
 */
export function stateFolder(env: Readonly<Record<string, string | undefined>>): string {
  return withoutLinks(configuredFolder(env));
}

function configuredFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (env.MODELSWITCH_STATE) return resolve(env.MODELSWITCH_STATE);
  // The XDG specification: a relative path there is invalid and is to be ignored.
  if (env.XDG_STATE_HOME?.startsWith("/")) return join(env.XDG_STATE_HOME, "modelswitch");
  return join(env.HOME || homedir(), ".local", "state", "modelswitch");
}

/** The real path of what exists of it. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(withoutLinks(parent), basename(path));
  }
}
