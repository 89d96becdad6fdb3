import { dirname, isAbsolute, join, resolve, delimiter as systemDelimiter } from "node:path";
import { messageOf } from "../../core/errors.ts";
import {
  type Entry,
  emptyKubeconfig,
  type Fields,
  type Kubeconfig,
  KubeconfigProblem,
  parseKubeconfig,
} from "./parse.ts";

/** Reads a file; `undefined` where there is none. Throws what reading throws. */
export type ReadFile = (path: string) => Uint8Array | undefined;

export interface LoadedKubeconfig {
  readonly config: Kubeconfig;
  /** The files that were there. */
  readonly files: readonly string[];
}

/** The files that KUBECONFIG names, each once. Empty entries name none. */
export function filesNamed(variable: string, delimiter: string = systemDelimiter): readonly string[] {
  return [...new Set(variable.split(delimiter))].filter((path) => path !== "");
}

/**
 * The files in the order of their precedence, merged as client-go does: missing ones are left out, of entries with one name the
 * first file's wins whole, the first `current-context` that is set wins, and relative paths start at the file that has them.
 * @throws KubeconfigProblem naming the file
 */
export function loadFiles(paths: readonly string[], readFile: ReadFile): LoadedKubeconfig {
  const found = paths.flatMap((path) => {
    const config = loadFile(path, readFile);
    return config === undefined ? [] : [{ path, config }];
  });
  return {
    config: found.map(({ config }) => config).reduce(merged, emptyKubeconfig),
    files: found.map(({ path }) => path),
  };
}

function loadFile(path: string, readFile: ReadFile): Kubeconfig | undefined {
  try {
    const bytes = readFile(path);
    return bytes === undefined
      ? undefined
      : withAbsolutePaths(parseKubeconfig(bytes), dirname(resolve(path)));
  } catch (error) {
    throw new KubeconfigProblem(`The kubeconfig ${path} cannot be read: ${readableReason(error)}.`);
  }
}

function readableReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "this user may not read it";
  return messageOf(error);
}

function merged(first: Kubeconfig, second: Kubeconfig): Kubeconfig {
  const union = (a: ReadonlyMap<string, Entry>, b: ReadonlyMap<string, Entry>) => new Map([...b, ...a]);
  return {
    clusters: union(first.clusters, second.clusters),
    users: union(first.users, second.users),
    contexts: union(first.contexts, second.contexts),
    currentContext: first.currentContext || second.currentContext,
  };
}

/** Files that entries name become absolute, from the folder of the kubeconfig that names them. */
export function withAbsolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
  const all = (entries: ReadonlyMap<string, Entry>, change: (fields: Fields) => Fields) =>
    new Map([...entries].map(([key, entry]) => [key, { ...entry, fields: change(entry.fields) }]));
  return {
    ...config,
    clusters: all(config.clusters, (fields) => absolute(fields, ["certificate-authority"], folder)),
    users: all(config.users, (fields) => {
      const user = absolute(fields, ["client-certificate", "client-key", "tokenFile"], folder);
      const exec = user.exec as Fields | undefined;
      // As for a shell: only a command with a slash is a file.
      if (typeof exec?.command !== "string" || !exec.command.includes("/")) return user;
      return { ...user, exec: absolute(exec, ["command"], folder) };
    }),
  };
}

function absolute(fields: Fields, names: readonly string[], folder: string): Fields {
  const changed = names.flatMap((name) => {
    const value = fields[name];
    return typeof value === "string" && value !== "" && !isAbsolute(value)
      ? [[name, join(folder, value)]]
      : [];
  });
  return changed.length === 0 ? fields : { ...fields, ...Object.fromEntries(changed) };
}
