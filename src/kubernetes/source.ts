import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { exitCodes, UserError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { type ChosenCluster, chooseCluster, minified, whole } from "./kubeconfig/choose.ts";
import { inCluster } from "./kubeconfig/in-cluster.ts";
import { filesNamed, type LoadedKubeconfig, loadFiles, withAbsolutePaths } from "./kubeconfig/load.ts";
import { KubeconfigProblem, parseKubeconfig } from "./kubeconfig/parse.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the credentials of a cluster come from. */
export interface KubeconfigSource {
  /** The kubeconfig itself (YAML or JSON). Wins over `path`. */
  readonly contents?: string;
  /** A kubeconfig file. @default the files of KUBECONFIG, then ~/.kube/config, then the pod's service account */
  readonly path?: string;
  /** @default the kubeconfig's current context */
  readonly context?: string;
  /** Replaces the context's cluster. */
  readonly cluster?: string;
}

/**
 * The one place that decides which cluster a source means, by kubectl's rules.
 * @throws UserError `kubeconfig-invalid`, `context-unknown`
 */
export function chosenCluster(source: KubeconfigSource, env: Env = process.env): ChosenCluster {
  return chosenFrom(source, env).chosen;
}

/**
 * The same cluster whatever happens to files, environment and current context afterwards: read once, everything that asks or writes
 * is given this. Relative paths in it are absolute. `path` stays for messages.
 * @throws UserError `kubeconfig-invalid`, `context-unknown`
 */
export function pinned(
  source: KubeconfigSource,
  /** `all`: the other contexts stay, for programs that choose one themselves. */
  keep: "one" | "all" = "one",
  env: Env = process.env,
): KubeconfigSource & { readonly contents: string; readonly context: string } {
  const { loaded, chosen } = chosenFrom(source, env);
  const [path, ...others] = loaded.files;
  return {
    contents: keep === "one" ? minified(chosen) : whole(loaded.config, chosen),
    context: chosen.context,
    ...(path === undefined || others.length > 0 ? {} : { path }),
  };
}

function chosenFrom(
  source: KubeconfigSource,
  env: Env,
): { readonly loaded: LoadedKubeconfig; readonly chosen: ChosenCluster } {
  const loaded = load(source, env);
  const choice = chooseCluster(loaded.config, source);
  switch (choice.kind) {
    case "chosen":
      return { loaded, chosen: choice.chosen };
    case "none": {
      const pod = isChosen(source) ? undefined : inCluster(env, readIfThere);
      if (pod !== undefined) return chosenFrom({ contents: pod }, env);
      throw invalid(`${describe(source, env)} has no current context.`);
    }
    case "context-unknown": {
      const names = choice.known;
      const meant = didYouMean(choice.context, names);
      throw new UserError({
        code: "context-unknown",
        message: `The kubeconfig has no context "${choice.context}"${meant === "" ? "." : meant}`,
        hint: `${names.length === 0 ? "It has no contexts at all" : `Its contexts are: ${names.join(", ")}`} (${describe(source, env)}).`,
        exitCode: exitCodes.usage,
      });
    }
    case "unusable":
      throw invalid(`${describe(source, env)} cannot be used: ${choice.reason}.`);
    default:
      return choice satisfies never;
  }
}

function isChosen({ contents, path }: KubeconfigSource): boolean {
  return contents !== undefined || path !== undefined;
}

function load(source: KubeconfigSource, env: Env): LoadedKubeconfig {
  try {
    if (source.contents !== undefined) {
      return { config: withAbsolutePaths(parseKubeconfig(source.contents), process.cwd()), files: [] };
    }
    const paths = source.path === undefined ? usualFiles(env) : [source.path];
    const loaded = loadFiles(paths, readIfThere);
    if (source.path !== undefined && loaded.files.length === 0) {
      throw new KubeconfigProblem(`The kubeconfig ${source.path} cannot be read: there is no such file.`);
    }
    return loaded;
  } catch (error) {
    if (!(error instanceof KubeconfigProblem)) throw error;
    // No cause: it would be shown with --debug, and may quote the file.
    throw invalid(
      source.contents === undefined
        ? error.message
        : `The kubeconfig given as contents cannot be read: ${error.message}.`,
    );
  }
}

/** The files that kubectl reads in this environment. */
export function usualFiles(env: Env): readonly string[] {
  const variable = env.KUBECONFIG ?? "";
  return variable === "" ? [join(env.HOME || homedir(), ".kube", "config")] : filesNamed(variable);
}

export function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw error;
  }
}

function describe(source: KubeconfigSource, env: Env): string {
  if (source.contents !== undefined) return "The kubeconfig given as contents";
  const files = source.path === undefined ? usualFiles(env) : [source.path];
  return `The kubeconfig ${files.join(", ")}`;
}

function invalid(message: string): UserError {
  return new UserError({
    code: "kubeconfig-invalid",
    message,
    hint: "Correct it, pass --context or --kubeconfig, or start a local cluster with `modelswitch cluster up`.",
    exitCode: exitCodes.usage,
  });
}
