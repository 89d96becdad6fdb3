import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { systemClock } from "../core/clock.ts";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { step } from "../core/events.ts";
import { cacheFolder } from "../tools/cache-folder.ts";
import { which } from "../tools/find-on-path.ts";
import { ensurePulumi, type Pulumi } from "./cli.ts";
import { type ObtainOptions, obtainTool } from "./obtain.ts";
import {
  type BuiltProvider,
  chooseProvider,
  failureMemory,
  findProviderPlugin,
  kubernetesProviderVersion,
  type ProviderChoice,
  pulumiDownloadsAnswer,
} from "./provider.ts";
import { PulumiCommandError, QuickPulumiCommand } from "./pulumi-command.ts";
import { pulumiHome } from "./workspace.ts";

export interface EngineTools {
  readonly pulumi: Pulumi;
  readonly provider: ProviderChoice;
  /** Folder of the CLI's plug-ins. */
  readonly home: string;
}

/**
 * The Pulumi CLI and the Kubernetes provider, found or obtained: where both are built, at the same time. `home` is the CLI's folder, for its
 * plug-ins.
 */
export async function obtainEngineTools(
  options: ObtainOptions,
  home = pulumiHome(options.env, cacheFolder(options.env)),
): Promise<EngineTools> {
  refuseFormerChoice(options.env.MODELSWITCH_PROVIDER);
  const cache = cacheFolder(options.env);
  return await together(options.signal, async (signal) => {
    const inner = { ...options, signal };
    const cli = ensurePulumi(inner);
    const choice = chooseProvider({
      clock: systemClock,
      installed: () => findProviderPlugin(home, options.env),
      reachable: () => pulumiDownloadsAnswer(signal),
      download: async () => downloadProvider(await cli, home, inner),
      build: () => builtProvider(inner),
      ...failureMemory(cache),
    });
    const [pulumi, provider] = await Promise.all([cli, choice]);
    return { pulumi, provider, home };
  });
}

/** There was a second provider once; a wish for it must not be passed over in silence. */
function refuseFormerChoice(wish = "auto"): void {
  if (["", "auto", "official"].includes(wish)) return;
  throw new UserError({
    code: "provider-unknown",
    message: `MODELSWITCH_PROVIDER is "${wish}", but Pulumi's own Kubernetes provider is the only one.`,
    hint: "Unset MODELSWITCH_PROVIDER.",
    exitCode: exitCodes.usage,
  });
}

/** Stops the rest of a work as soon as a part of it has failed. */
async function together<T>(outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  try {
    return await work(AbortSignal.any([outer, stop.signal]));
  } finally {
    stop.abort();
  }
}

async function builtProvider(options: ObtainOptions): Promise<BuiltProvider> {
  try {
    // Without Go only the cache is left: that there is nothing there is part of why it cannot be had, no failure by itself.
    const events = (await which("go", options.env)) === undefined ? () => {} : options.events;
    const tool = await obtainTool("kubernetes-provider", "Kubernetes provider", { ...options, events });
    const program = Object.values(tool.programs)[0];
    if (program === undefined) throw new Error("the tool kubernetes-provider has no program");
    return { folder: dirname(program), version: tool.version };
  } catch (error) {
    if (options.signal.aborted) throw error;
    return { problem: problemOf(error) };
  }
}

/** Of the places that were tried, only what the last one said: that is the build. */
function problemOf(error: unknown): string {
  const attempts = error instanceof UserError ? error.details?.attempts : undefined;
  const last: unknown = Array.isArray(attempts) ? attempts.at(-1) : undefined;
  return typeof last === "object" && last !== null && "reason" in last
    ? String(last.reason)
    : messageOf(error);
}

async function downloadProvider(
  pulumi: Pulumi,
  home: string,
  { env, events, signal }: ObtainOptions,
): Promise<string | undefined> {
  const command = new QuickPulumiCommand({
    program: pulumi.program,
    version: pulumi.version,
    env: { ...env, ...pulumi.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
    signal,
  });
  const version = kubernetesProviderVersion;
  try {
    await mkdir(home, { recursive: true });
    await step(
      events,
      { id: "kubernetes-provider", title: `Downloading the Kubernetes provider ${version}` },
      () => command.start(["plugin", "install", "resource", "kubernetes", version], { cwd: home }),
    );
    return undefined;
  } catch (error) {
    // A download that takes too long is one that fails: the provider can be built.
    if (error instanceof UserError && error.code === "program-timeout") return error.message;
    if (!(error instanceof PulumiCommandError)) throw error;
    return error.output.stderr.trim().split("\n").at(-1) || "the download failed";
  }
}
