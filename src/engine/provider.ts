import { access, constants, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { isInRange } from "../tools/version-range.ts";

/** Version of Pulumi's Kubernetes provider that belongs to our `@pulumi/kubernetes`. */
export const kubernetesProviderVersion = "4.34.2";

/** The provider that an operation uses. */
export interface ProviderChoice {
  /** How it was come by. */
  readonly reason: string;
  /** Folder of one that the CLI does not find by itself: the project file names it. */
  readonly folder?: string;
}

/** The provider as built from its module, or why it cannot be. */
export type BuiltProvider =
  | { readonly folder: string; readonly version: string }
  | { readonly problem: string };

/** The world that the choice depends on. */
export interface ProviderWorld {
  readonly clock: Clock;
  /** Where it is installed for this CLI, if it is. */
  installed(): Promise<string | undefined>;
  /** Whether the place that it is downloaded from answers. */
  reachable(): Promise<boolean>;
  /** Downloads it; resolves with the reason when that fails. */
  download(): Promise<string | undefined>;
  /** Takes it from the cache, else builds it from its Go module. */
  build(): Promise<BuiltProvider>;
  /** When it was last found that it cannot be downloaded, and why. */
  lastFailure(): Promise<ProviderFailure | undefined>;
  rememberFailure(failure: ProviderFailure | undefined): Promise<void>;
}

export interface ProviderFailure {
  readonly at: number;
  readonly reason: string;
}

/** How long a download that failed is believed to go on failing. */
const failureLastsMs = 15 * 60_000;

/**
 * Pulumi's Kubernetes provider: installed, downloaded, or built from its Go module, in this order.
 * @throws UserError `provider-unavailable` when it cannot be had
 */
export async function chooseProvider(world: ProviderWorld): Promise<ProviderChoice> {
  const place = await world.installed();
  if (place !== undefined) return { reason: `installed: ${place}` };

  const last = await recentFailure(world);
  const reason = last?.reason ?? (await obtain(world));
  if (reason === undefined) {
    await world.rememberFailure(undefined);
    return { reason: "downloaded" };
  }
  if (last === undefined) await world.rememberFailure({ at: world.clock.now(), reason });
  const built = await world.build();
  if ("folder" in built)
    return { reason: `built, version ${built.version}: ${reason}`, folder: built.folder };
  throw new UserError({
    code: "provider-unavailable",
    message: `Pulumi's Kubernetes provider is not installed, and it cannot be downloaded (${reason}) or built (${built.problem}).`,
    hint: `Install it with \`pulumi plugin install resource kubernetes ${kubernetesProviderVersion}\`, or install Go (https://go.dev/dl) so that it can be built, and run the same command again.`,
  });
}

async function recentFailure(world: ProviderWorld): Promise<ProviderFailure | undefined> {
  const last = await world.lastFailure();
  const now = world.clock.now();
  return last !== undefined && now - last.at < failureLastsMs && last.at <= now ? last : undefined;
}

async function obtain(world: ProviderWorld): Promise<string | undefined> {
  return (await world.reachable()) ? await world.download() : "get.pulumi.com does not answer";
}

/** Where the CLI would find the provider: an installed plug-in that serves our version, or a program on PATH. */
export async function findProviderPlugin(
  pulumiHome: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const program =
    process.platform === "win32" ? "pulumi-resource-kubernetes.exe" : "pulumi-resource-kubernetes";
  const plugins = join(pulumiHome, "plugins");
  const folders: string[] = await readdir(plugins).catch(() => []);
  for (const folder of folders) {
    const version = /^resource-kubernetes-v(\d+\.\d+\.\d+)/.exec(folder)?.[1];
    if (version === undefined || !serves(version, kubernetesProviderVersion)) continue;
    // The CLI keeps `NAME.partial` beside a folder whose download has not ended.
    if (folders.includes(`${folder}.partial`)) continue;
    if (await isExecutable(join(plugins, folder, program))) return join(plugins, folder, program);
  }
  if (env.PULUMI_IGNORE_AMBIENT_PLUGINS === undefined) {
    for (const folder of (env.PATH ?? "").split(delimiter)) {
      if (folder !== "" && (await isExecutable(join(folder, program)))) return join(folder, program);
    }
  }
  return undefined;
}

/** The CLI takes a plug-in of the same major version that is not older. */
export function serves(installed: string, wanted: string): boolean {
  return isInRange(installed, `^${wanted}`);
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Remembers in the cache what failed, so that it is not paid for at each command. */
export function failureMemory(cacheFolder: string): Pick<ProviderWorld, "lastFailure" | "rememberFailure"> {
  const file = join(cacheFolder, "kubernetes-provider-download.json");
  return {
    lastFailure: async () => {
      try {
        const { at, reason } = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
        if (typeof at !== "number" || typeof reason !== "string") return undefined;
        return { at, reason };
      } catch {
        return undefined;
      }
    },
    rememberFailure: async (failure) => {
      try {
        if (failure === undefined) await rm(file, { force: true });
        else {
          await mkdir(cacheFolder, { recursive: true });
          await writeFile(file, JSON.stringify(failure));
        }
      } catch {
        // A home that cannot be written to costs the look at each command, no more.
      }
    },
  };
}

/** Whether the host that serves Pulumi's plug-ins answers at all, within three seconds. */
export async function pulumiDownloadsAnswer(signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch("https://get.pulumi.com/", {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]),
    });
    return response.status < 500;
  } catch {
    return false;
  }
}
