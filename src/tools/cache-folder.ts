import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The user's cache folder: MODELSWITCH_CACHE, else XDG_CACHE_HOME/modelswitch, else ~/.cache/modelswitch. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.MODELSWITCH_CACHE) return resolve(env.MODELSWITCH_CACHE);
  // The XDG specification: a relative path there is invalid and is to be ignored.
  if (env.XDG_CACHE_HOME?.startsWith("/")) return join(env.XDG_CACHE_HOME, "modelswitch");
  return join(env.HOME || homedir(), ".cache", "modelswitch");
}
