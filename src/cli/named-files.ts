import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unreadableConfigFiles } from "../config/file/config-files.ts";
import type { Effective, LocatedProblem } from "../config/file/effective.ts";
import { originOf, type Path } from "../config/file/merge.ts";
import { pathFromConfig } from "../config/file/read.ts";
import type { ModelswitchConfig } from "../config/model/types.ts";
import { UserError } from "../core/errors.ts";
import { which } from "../tools/find-on-path.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What is to be said of the files that a configuration names. */
export interface NamedFiles {
  readonly problems: readonly LocatedProblem[];
  /** What may be right on the machine that releases. */
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
}

/** Looks at every file that the configuration of one target names: is it there, can it be read or run, is it small enough? */
export async function namedFiles(effective: Effective, file: string, env: Env): Promise<NamedFiles> {
  if (effective.problems.length > 0) return { problems: [], warnings: [] };
  const config = effective.input as unknown as ModelswitchConfig;
  const at = (path: Path, message: string): LocatedProblem => {
    const origin = originOf(effective.origins, path);
    return {
      file: origin?.file ?? file,
      path: origin?.path ?? path,
      message,
      environment: effective.target.environment,
    };
  };
  const [contents, programs, cluster] = await Promise.all([
    unreadableConfigFiles(config, file),
    programsOf(config, dirname(file), env),
    clusterOf(config, file, env),
  ]);
  return {
    problems: [...contents, ...programs.problems, ...cluster.problems].map(({ path, message }) =>
      at(path, message),
    ),
    warnings: [...programs.warnings, ...cluster.warnings],
  };
}

interface Looked {
  readonly problems: { readonly path: Path; readonly message: string }[];
  readonly warnings: { readonly code: string; readonly message: string; readonly hint: string }[];
}

async function programsOf({ rollout }: ModelswitchConfig, folder: string, env: Env): Promise<Looked> {
  const looked: Looked = { problems: [], warnings: [] };
  for (const kind of ["hooks", "gates"] as const) {
    for (const [index, entry] of (rollout?.[kind] ?? []).entries()) {
      const program = "run" in entry ? entry.run?.[0] : undefined;
      if (program === undefined) continue;
      const path = ["rollout", kind, index, "run"];
      if (program.includes("/")) {
        const problem = await programProblem(program.startsWith("/") ? program : join(folder, program));
        if (problem !== undefined) looked.problems.push({ path, message: problem });
      } else if ((await which(program, env)) === undefined) {
        looked.warnings.push({
          code: "program-missing",
          message: `The program ${program} (rollout.${kind}[${index}].run) is not on PATH here.`,
          hint: "It has to be on the machine that releases.",
        });
      }
    }
  }
  return looked;
}

async function programProblem(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return `the program ${path} is not there`;
  if (found.isDirectory()) return `the program ${path} is a folder`;
  return await access(path, constants.X_OK).then(
    () => undefined,
    () => `the program ${path} may not be run; chmod +x ${path}`,
  );
}

/** A kubeconfig that is here has to lead somewhere; where only CI has it, that is no mistake. */
async function clusterOf(config: ModelswitchConfig, file: string, env: Env): Promise<Looked> {
  if (config.kubeconfig === undefined) return { problems: [], warnings: [] };
  const { chosenCluster } = await import("../kubernetes/source.ts");
  const path = pathFromConfig(config.kubeconfig, file, env.HOME);
  if ((await stat(path).catch(() => undefined)) === undefined) {
    const warning = {
      code: "kubeconfig-missing",
      message: `The kubeconfig ${path} is not on this machine.`,
      hint: "It has to be where the commands are run.",
    };
    return { problems: [], warnings: [warning] };
  }
  try {
    chosenCluster({ path, ...(config.context === undefined ? {} : { context: config.context }) }, env);
    return { problems: [], warnings: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const key = error.code === "context-unknown" && config.context !== undefined ? "context" : "kubeconfig";
    return { problems: [{ path: [key], message: error.message }], warnings: [] };
  }
}
