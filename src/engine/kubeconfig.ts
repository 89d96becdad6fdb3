import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KubeconfigSource, pinned } from "../kubernetes/source.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the user chose a cluster; otherwise the environment does. */
export function isChosen(source: KubeconfigSource): boolean {
  return Object.values(source).some((value) => value !== undefined);
}

/** The chosen cluster as it is now, so that no later change of files, contexts or environment has an effect. */
export function fixed(source: KubeconfigSource, env: Environment): KubeconfigSource {
  if (!isChosen(source) || isFixed(source)) return source;
  return pinned(source, "all", env);
}

function isFixed({ contents, context }: KubeconfigSource): boolean {
  return contents !== undefined && context !== undefined;
}

export interface ClusterFile {
  /** Value of KUBECONFIG that leads to the chosen cluster; `undefined`: the environment's own. */
  readonly path: string | undefined;
  remove(): Promise<void>;
}

/**
 * The chosen cluster as a file that nobody else can open, for programs that only take a file (the official provider). The state
 * stays free of it, so stacks are the same on every machine.
 */
export async function clusterFile(source: KubeconfigSource, env: Environment): Promise<ClusterFile> {
  if (!isChosen(source)) return { path: undefined, remove: async () => {} };
  // The context is the file's current one: the provider is told of no other.
  const { contents } = pinned(source, "all", env);
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-kubeconfig-"));
  const file = join(folder, "config");
  await writeFile(file, contents, { mode: 0o600 });
  return { path: file, remove: () => rm(folder, { recursive: true, force: true }) };
}
