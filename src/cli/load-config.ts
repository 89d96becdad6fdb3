import type { Target } from "../config/file/project.ts";
import {
  type ConfigRequest,
  type FoundConfig,
  type OpenProject,
  pathFromConfig,
  type ReadConfig,
  readConfig,
  readProject,
  readTarget,
  refuseUnusable,
  requireValid,
} from "../config/file/read.ts";
import { chooseTargets } from "../config/file/select.ts";
import { resolveConfig } from "../config/model/resolve.ts";
import type { ResolvedConfig } from "../config/model/types.ts";
import { invalidConfig } from "../config/model/validate.ts";
import { conflicts } from "../config/report/conflicts.ts";
import type { EventSink } from "../core/events.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { claimsOf, rivalsOf } from "./claims.ts";
import type { GlobalOptions } from "./command.ts";
import { contextNamespace, resolveKubeconfig } from "./kubeconfig.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Globals = Pick<
  GlobalOptions,
  "folder" | "configPath" | "kubeconfigPath" | "context" | "cluster" | "model" | "environment" | "given"
>;

/** What the options say of file, model and environment. */
export function requestOf(globals: Globals, env: Env): ConfigRequest {
  const wanted = (option: "model" | "environment") => {
    const name = globals[option];
    return name === undefined ? undefined : { name, from: globals.given?.[option] ?? `--${option}` };
  };
  return {
    folder: globals.folder,
    configPath: globals.configPath,
    model: wanted("model"),
    environment: wanted("environment"),
    env,
  };
}

/**
 * The configuration of a command: the file found, validated, every default filled in and the cluster chosen.
 * @throws UserError with exit code 2 for everything that is wrong with the file or the choice of model, environment and cluster
 */
export async function loadConfig(
  globals: Globals,
  env: Env,
  events: EventSink = () => {},
): Promise<ResolvedConfig> {
  const read = await readConfig(requestOf(globals, env));
  warn(read.open, events);
  return await resolveRead(read, globals, env);
}

/** A model in an environment whose configuration is not read yet. */
export interface Loadable {
  readonly target: Target;
  /** What the files say; no cluster is chosen. @throws UserError as `readConfig` */
  read(): Promise<ReadConfig>;
  /** @throws UserError as `loadConfig` */
  load(): Promise<ResolvedConfig>;
}

export interface Loadables {
  /** Whether the user meant several: then the answer is a list, however many there are. */
  readonly several: boolean;
  readonly targets: readonly Loadable[];
}

/**
 * What a query is about: every model of the environment where none is named, with `all` in every environment.
 * @throws UserError with exit code 2 where file or choice are wrong
 */
export async function loadTargets(
  globals: Globals,
  env: Env,
  all: boolean,
  events: EventSink = () => {},
): Promise<Loadables> {
  const request = requestOf(globals, env);
  const open = await readProject(request);
  refuseUnusable(open);
  warn(open, events);
  const targets = chooseTargets(open.project, request, all);
  return {
    several: all || targets.length > 1,
    targets: targets.map((target) => {
      const read = async () => await requireValid(open, await readTarget(open, target));
      return { target, read, load: async () => await resolveRead(await read(), globals, env) };
    }),
  };
}

function warn(open: OpenProject, events: EventSink): void {
  for (const warning of open.warnings) events({ type: "warning", ...warning });
}

/** The cluster of a configuration: what the options say, else the file, else what is usual. */
export async function clusterFor(found: FoundConfig, globals: Globals, env: Env): Promise<KubeconfigSource> {
  const { file, config } = found;
  return await resolveKubeconfig(globals, env, {
    ...(config.kubeconfig === undefined
      ? {}
      : { kubeconfig: pathFromConfig(config.kubeconfig, file, env.HOME) }),
    ...(config.context === undefined ? {} : { context: config.context }),
  });
}

/** @throws UserError where no cluster is chosen, and where two environments are one place */
export async function resolveRead(read: ReadConfig, globals: Globals, env: Env): Promise<ResolvedConfig> {
  const kubeconfig = await clusterFor(read, globals, env);
  await refuseSharing(read, env);
  return resolveConfig(read.config, {
    file: read.file,
    kubeconfig,
    contextNamespace: read.config.namespace ?? (await contextNamespace(kubeconfig)),
    environment: read.environment,
  });
}

/** @throws UserError `config-invalid` where another model or environment would own the same objects or the same stack */
async function refuseSharing(read: ReadConfig, env: Env): Promise<void> {
  const { open, effective } = read;
  const rivals = rivalsOf(open.project, effective);
  if (rivals.length === 0) return;
  const [own, ...others] = await Promise.all([
    claimsOf(effective, read.file, env),
    ...rivals.map((target) =>
      readTarget(open, target).then(
        (other) => claimsOf(other, read.file, env),
        // What is wrong with another one is no reason to hold this one up.
        () => undefined,
      ),
    ),
  ]);
  if (own === undefined) return;
  const problems = conflicts(
    open.project,
    [own],
    others.filter((other) => other !== undefined),
  );
  if (problems.length > 0) throw invalidConfig(problems);
}
