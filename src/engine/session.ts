import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import type { EventSink } from "../core/events.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { cacheFolder } from "../tools/cache-folder.ts";
import type { Pulumi } from "./cli.ts";
import { type EngineTools, obtainEngineTools } from "./engine-tools.ts";
import { clusterFile } from "./kubeconfig.ts";
import { withoutProxyOnLoopback } from "./loopback.ts";
import type { ProviderChoice } from "./provider.ts";
import { QuickPulumiCommand } from "./pulumi-command.ts";
import type { SecretsSource } from "./stack.ts";
import { type ProjectFolders, pulumiHome } from "./workspace.ts";

export interface SessionOptions {
  readonly folders: ProjectFolders;
  readonly kubeconfig: KubeconfigSource;
  readonly secrets: SecretsSource;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly onProcess?: (pid: number | undefined) => void;
}

/** What one operation needs for as long as it lasts: the CLI, a Kubernetes provider, and the environment of both. */
export interface Session {
  readonly command: QuickPulumiCommand;
  readonly provider: ProviderChoice;
  close(): Promise<void>;
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { pulumi, provider, home } = await obtainEngine(options);
  const cluster = await clusterFile(options.kubeconfig, options.env);
  const command = new QuickPulumiCommand({
    program: pulumi.program,
    version: pulumi.version,
    env: {
      ...cliEnvironment(options, pulumi, home),
      ...(cluster.path === undefined ? {} : { KUBECONFIG: cluster.path }),
    },
    ...(options.secrets.kind === "passphrase" ? { passphrase: options.secrets.passphrase } : {}),
    signal: options.signal,
    ...(options.onProcess === undefined ? {} : { onProcess: options.onProcess }),
  });
  return { command, provider, close: cluster.remove };
}

/**
 * Finds, or obtains, the CLI and a Kubernetes provider. That may take minutes, which nobody should hold a lock for: what was obtained
 * before is found at once.
 */
export async function obtainEngine(
  options: Pick<SessionOptions, "folders" | "env" | "events" | "signal">,
): Promise<EngineTools> {
  const cache = cacheFolder(options.env);
  // Pulumi's and Kubernetes' libraries are large: compiled code kept between commands saves a third of their loading time.
  enableCompileCache(join(cache, "compiled"));
  // Our own end of the channel to the CLI reads the process's environment.
  Object.assign(process.env, withoutProxyOnLoopback(process.env));
  const home = await writableHome(pulumiHome(options.env, cache), options.folders);
  return await obtainEngineTools(options, home);
}

/** The CLI writes into its home folder at every start; where that cannot be (a read-only home), it has one beside the project's settings. */
async function writableHome(home: string, { workFolder }: ProjectFolders): Promise<string> {
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.W_OK);
    return home;
  } catch {
    return join(workFolder, "home");
  }
}

function cliEnvironment(options: SessionOptions, pulumi: Pulumi, home: string) {
  const { PULUMI_CONFIG_PASSPHRASE_FILE: _file, ...inherited } = options.env;
  return {
    ...inherited,
    ...withoutProxyOnLoopback(options.env),
    ...pulumi.env,
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: options.folders.backendUrl,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The state knows how its secrets are encrypted; generated settings may be gone.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    // Ours to set: a left-over value of the user's shell would attach a provider that is long gone.
    PULUMI_DEBUG_PROVIDERS: undefined,
    PULUMI_STACK: undefined,
  };
}
