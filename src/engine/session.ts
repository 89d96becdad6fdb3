import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { type EventSink, step } from "../core/events.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { cacheFolder } from "../tools/cache-folder.ts";
import { ensurePulumi, type Pulumi } from "./cli.ts";
import { clusterFile, withPath } from "./kubeconfig.ts";
import {
  chooseProvider,
  failureMemory,
  findOfficialProvider,
  kubernetesProviderVersion,
  type ProviderChoice,
  pulumiDownloadsAnswer,
} from "./provider.ts";
import { PulumiCommandError, QuickPulumiCommand } from "./pulumi-command.ts";
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
  /** Tells the provider when the run began that was killed before this one: it may have made what the state does not know. */
  recover(since: number): void;
  close(): Promise<void>;
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { signal } = options;
  const { pulumi, env, provider } = await obtainEngine(options);
  const make: MakeCommand = (more) =>
    new QuickPulumiCommand({
      program: pulumi.program,
      version: pulumi.version,
      env: { ...env, ...more },
      ...(options.secrets.kind === "passphrase" ? { passphrase: options.secrets.passphrase } : {}),
      signal,
      ...(options.onProcess === undefined ? {} : { onProcess: options.onProcess }),
    });
  if (provider.kind === "official") return await officialSession(options, provider, make);
  return await embeddedSession(options, provider, make);
}

type MakeCommand = (env: Readonly<Record<string, string>>) => QuickPulumiCommand;

/**
 * Finds, or obtains, the CLI and a Kubernetes provider. That may take minutes, which nobody should hold a lock for: what was obtained
 * before is found at once.
 */
export async function obtainEngine(options: Pick<SessionOptions, "folders" | "env" | "events" | "signal">) {
  const { signal, events } = options;
  const cache = cacheFolder(options.env);
  // Pulumi's and Kubernetes' libraries are large: compiled code kept between commands saves a third of their loading time.
  enableCompileCache(join(cache, "compiled"));
  const pulumi = await ensurePulumi({ env: options.env, events, signal });
  const env = cliEnvironment(options, pulumi, pulumiHome(options.env, cache));
  const command = new QuickPulumiCommand({ program: pulumi.program, version: pulumi.version, env, signal });
  const provider = await chooseProvider({
    clock: systemClock,
    wish: options.env.MODELSWITCH_PROVIDER || undefined,
    installed: () => findOfficialProvider(env.PULUMI_HOME, options.env),
    reachable: () => pulumiDownloadsAnswer(signal),
    download: () => downloadProvider(command, events),
    ...failureMemory(cache),
  });
  return { pulumi, env, provider };
}

async function officialSession(
  options: SessionOptions,
  provider: ProviderChoice,
  make: MakeCommand,
): Promise<Session> {
  const cluster = await clusterFile(withPath(options.kubeconfig, options.env));
  return {
    command: make(cluster.path === undefined ? {} : { KUBECONFIG: cluster.path }),
    provider,
    // The official one says of such objects that they exist already, and how to import them.
    recover: () => {},
    close: cluster.remove,
  };
}

/** The embedded provider lives in this process for the life of one operation; the CLI attaches to it. */
async function embeddedSession(
  options: SessionOptions,
  provider: ProviderChoice,
  make: MakeCommand,
): Promise<Session> {
  const { serveKubernetesProvider } = await import("../kubernetes-provider/serve.ts");
  const stop = new AbortController();
  let killedSince: number | undefined;
  const served = await serveKubernetesProvider({
    kubeconfig: withPath(options.kubeconfig, options.env),
    signal: stop.signal,
    events: options.events,
    killedSince: () => killedSince,
  });
  return {
    command: make({
      PULUMI_DEBUG_PROVIDERS: `kubernetes:${served.port}`,
      // Without it the engine looks for the plug-ins that the state names, and waits for a download that never comes.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    }),
    provider,
    recover: (since) => {
      killedSince = since;
    },
    close: async () => {
      stop.abort();
      await served.close();
    },
  };
}

function cliEnvironment(options: Pick<SessionOptions, "folders" | "env">, pulumi: Pulumi, home: string) {
  const { PULUMI_CONFIG_PASSPHRASE_FILE: _file, ...inherited } = options.env;
  return {
    ...inherited,
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

async function downloadProvider(command: QuickPulumiCommand, events: EventSink): Promise<string | undefined> {
  try {
    await step(
      events,
      {
        id: "kubernetes-provider",
        title: `Downloading the Kubernetes provider ${kubernetesProviderVersion}`,
      },
      () =>
        command.start(["plugin", "install", "resource", "kubernetes", kubernetesProviderVersion], {
          cwd: tmpdir(),
        }),
    );
    return undefined;
  } catch (error) {
    if (error instanceof UserError && error.code === "program-timeout") return error.message;
    if (!(error instanceof PulumiCommandError)) throw error;
    return error.output.stderr.trim().split("\n").at(-1) || "the download failed";
  }
}
