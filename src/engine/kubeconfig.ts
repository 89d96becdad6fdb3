import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the user chose a cluster; otherwise the environment does. */
export function isChosen(source: KubeconfigSource): boolean {
  return Object.values(source).some((value) => value !== undefined);
}

/**
 * The source with the file named that the environment would give, so that a later change of the environment has no effect.
 * Several files in KUBECONFIG stay what they are.
 */
export function withPath(source: KubeconfigSource, env: Environment): KubeconfigSource {
  if (source.contents !== undefined || source.path !== undefined || !isChosen(source)) return source;
  if (env.KUBECONFIG?.includes(delimiter) === true) return source;
  return { ...source, path: env.KUBECONFIG || join(env.HOME ?? homedir(), ".kube", "config") };
}

export interface ClusterFile {
  /** Value of KUBECONFIG that leads to the chosen cluster; `undefined`: the environment's own. */
  readonly path: string | undefined;
  remove(): Promise<void>;
}

/**
 * The chosen cluster as a file, for programs that only take a file (the official provider). The state stays free of it,
 * so stacks are the same on every machine.
 */
export async function clusterFile(source: KubeconfigSource): Promise<ClusterFile> {
  const nothing = async () => {};
  if (!isChosen(source)) return { path: undefined, remove: nothing };
  const { contents, path, context, cluster } = source;
  if (path !== undefined && contents === undefined && context === undefined && cluster === undefined) {
    return { path: resolve(path), remove: nothing };
  }
  const text = contents ?? (await readFile(path ?? "", "utf8").catch(unreadable(path)));
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-kubeconfig-"));
  const file = join(folder, "config");
  const value = parsed(text, path);
  if (typeof value !== "object" || value === null) unreadable(path)(new Error("it is no YAML mapping"));
  const base = contents === undefined && path !== undefined ? dirname(resolve(path)) : process.cwd();
  await writeFile(file, stringify(chosen(value as Kubeconfig, source, base)), { mode: 0o600 });
  return { path: file, remove: () => rm(folder, { recursive: true, force: true }) };
}

function parsed(text: string, path: string | undefined): unknown {
  try {
    return parse(text, { prettyErrors: false });
  } catch (error) {
    return unreadable(path)(error);
  }
}

function unreadable(path: string | undefined): (error: unknown) => never {
  return (error) => {
    throw new UserError({
      code: "kubeconfig-invalid",
      message: `The kubeconfig ${path ?? "given as contents"} cannot be read: ${messageOf(error)}`,
      exitCode: exitCodes.usage,
      cause: error,
    });
  };
}

interface Kubeconfig {
  readonly clusters?: readonly { readonly cluster?: Fields }[];
  readonly users?: readonly { readonly user?: Fields & { readonly exec?: Fields } }[];
  readonly contexts?: readonly { readonly name?: string; readonly context?: Fields }[];
  readonly "current-context"?: string;
}
type Fields = Readonly<Record<string, unknown>>;

/** The kubeconfig with the choice made in it; files that it names relative to itself become absolute. */
export function chosen(config: Kubeconfig, source: KubeconfigSource, folder: string): Kubeconfig {
  const current = source.context ?? config["current-context"];
  const absolute = (fields: Fields | undefined, names: readonly string[]): Fields => {
    const found = names.filter((name) => {
      const value = fields?.[name];
      return typeof value === "string" && value !== "" && !isAbsolute(value);
    });
    return {
      ...fields,
      ...Object.fromEntries(found.map((name) => [name, join(folder, String(fields?.[name]))])),
    };
  };
  return {
    ...config,
    ...(current === undefined ? {} : { "current-context": current }),
    clusters: (config.clusters ?? []).map((entry) => ({
      ...entry,
      cluster: absolute(entry.cluster, ["certificate-authority"]),
    })),
    users: (config.users ?? []).map((entry) => {
      const user = absolute(entry.user, ["client-certificate", "client-key", "tokenFile"]);
      const command = entry.user?.exec?.command;
      // As for a shell: only a command with a slash is a file.
      if (typeof command !== "string" || !command.includes("/")) return { ...entry, user };
      return { ...entry, user: { ...user, exec: absolute(entry.user?.exec, ["command"]) } };
    }),
    contexts: (config.contexts ?? []).map((entry) =>
      source.cluster !== undefined && entry.name === current
        ? { ...entry, context: { ...entry.context, cluster: source.cluster } }
        : entry,
    ),
  };
}
