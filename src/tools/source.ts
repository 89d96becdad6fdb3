import type { EnsureToolOptions, Tool } from "./tool.ts";

export type Progress = EnsureToolOptions["progress"];

/** The operating system and processor, in Node's words. */
export interface Platform {
  readonly os: NodeJS.Platform;
  readonly cpu: NodeJS.Architecture;
}

/** What finding and obtaining a tool may use of the world. */
export interface ToolContext {
  readonly cacheFolder: string;
  readonly platform: Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** How to use what is in a folder of the cache. Paths are relative to it; an absolute path is the system's own. */
export interface Layout {
  readonly version: string;
  /** The only folder it works in, where a file in it says so. */
  readonly onlyIn?: string | undefined;
  readonly programs: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, string>> | undefined;
  /** Variables whose value is a path. */
  readonly paths?: Readonly<Record<string, string>> | undefined;
  /** Folders to put before what the variable has already, for example of PATH. */
  readonly prepend?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** One place that a tool can be obtained from. */
export interface Source {
  readonly origin: "release" | "registry";
  /** For messages, for example `the official release at dl.k8s.io`. */
  readonly title: string;
  /**
   * Fills an empty folder, which is then moved to `destination`. Throws when that is not possible: then the next source is
   * tried.
   */
  obtain(folder: string, context: ToolContext, destination: string): Promise<Layout>;
}

/** What was found on PATH, or why it can't be used. */
export type PathResult =
  | { readonly found: true; readonly tool: Omit<Tool, "name" | "origin"> }
  | { readonly found: false; readonly reason: string };

/** All there is to know of one tool: data, and functions that look and obtain. */
export interface Recipe {
  readonly name: string;
  /** Tells those of one name apart, for example by their version. @default none */
  readonly variant?: string;
  /** Raised when the same version must be obtained anew, because how it is built or laid out in the cache has changed. @default 1 */
  readonly revision?: number;
  /** Names the version wanted in messages and in the cache's path. */
  version(context: ToolContext): Promise<string>;
  /** Why it can't be had on this platform, if so. */
  unsupported?(platform: Platform): string | undefined;
  findOnPath(context: ToolContext): Promise<PathResult>;
  readonly sources: readonly Source[];
  /** Programs to start once after obtaining, with their arguments: what can't run here doesn't enter the cache. */
  readonly proofs: Readonly<Record<string, readonly string[]>>;
  /** What the user can do when it can't be had at all. */
  readonly alternatives: string;
}
