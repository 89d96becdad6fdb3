import { access, constants, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { exitCodes, UserError } from "../core/errors.ts";

/** Version of the official provider that belongs to our `@pulumi/kubernetes`. */
export const kubernetesProviderVersion = "4.34.2";

export type ProviderChoice =
  | {
      readonly kind: "official";
      readonly reason: string;
      /** Folder of one that the CLI does not find by itself: the project file names it. */
      readonly folder?: string;
    }
  | { readonly kind: "embedded"; readonly reason: string };

/** Folder of the provider where the project file has to name it. */
export function folderOf(choice: ProviderChoice): string | undefined {
  return choice.kind === "official" ? choice.folder : undefined;
}

/** The official provider as built from its module, or why it cannot be. */
export type BuiltProvider =
  | { readonly folder: string; readonly version: string }
  | { readonly problem: string };

/** The world that the choice depends on. */
export interface ProviderWorld {
  readonly clock: Clock;
  /** MODELSWITCH_PROVIDER: `auto` (default), `official` or `embedded`. */
  readonly wish: string | undefined;
  /** Whether the official provider is installed for this CLI: where. */
  installed(): Promise<string | undefined>;
  /** Whether the place that it is downloaded from answers. */
  reachable(): Promise<boolean>;
  /** Downloads it; resolves with the reason when that fails. */
  download(): Promise<string | undefined>;
  /** Takes it from the cache, else builds it from its Go module. */
  build(): Promise<BuiltProvider>;
  /** When it was last found that it cannot be had, and why. */
  lastFailure(): Promise<ProviderFailure | undefined>;
  rememberFailure(failure: ProviderFailure | undefined): Promise<void>;
}

export interface ProviderFailure {
  readonly at: number;
  /** Why it cannot be downloaded. */
  readonly reason: string;
  /** Why it cannot be built either. */
  readonly build?: string;
}

/** How long what failed is believed to go on failing. */
const failureLastsMs = 15 * 60_000;

/**
 * The official provider: installed, downloaded, or built from its Go module, in this order. Where none of it is possible,
 * the embedded one.
 * @throws UserError `provider-unavailable` when the official one is demanded and cannot be had
 */
export async function chooseProvider(world: ProviderWorld): Promise<ProviderChoice> {
  const wish = world.wish ?? "auto";
  if (wish !== "auto" && wish !== "official" && wish !== "embedded") {
    throw new UserError({
      code: "provider-unknown",
      message: `MODELSWITCH_PROVIDER is "${wish}".`,
      hint: "It can be auto, official or embedded.",
      exitCode: exitCodes.usage,
    });
  }
  if (wish === "embedded") return { kind: "embedded", reason: "MODELSWITCH_PROVIDER=embedded" };
  const place = await world.installed();
  if (place !== undefined) return { kind: "official", reason: `installed: ${place}` };

  const last = await recentFailure(world);
  const reason = last?.reason ?? (await obtain(world));
  if (reason === undefined) {
    await world.rememberFailure(undefined);
    return { kind: "official", reason: "downloaded" };
  }
  const built = last?.build !== undefined && wish === "auto" ? { problem: last.build } : await world.build();
  if ("folder" in built) {
    if (last === undefined) await world.rememberFailure({ at: world.clock.now(), reason });
    return { kind: "official", reason: `built, version ${built.version}: ${reason}`, folder: built.folder };
  }
  if (last?.build === undefined) {
    await world.rememberFailure({ at: world.clock.now(), reason, build: built.problem });
  }
  const why = `it cannot be downloaded (${reason}) or built (${built.problem})`;
  if (wish === "auto") return { kind: "embedded", reason: why };
  throw new UserError({
    code: "provider-unavailable",
    message: `MODELSWITCH_PROVIDER=official, but the official Kubernetes provider is not installed, and ${why}.`,
    hint: `Install it with \`pulumi plugin install resource kubernetes ${kubernetesProviderVersion}\`, install Go (https://go.dev/dl) so that it can be built, or leave MODELSWITCH_PROVIDER unset to use the embedded one.`,
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

/** Where the CLI would find the official provider: an installed plug-in that serves our version, or a program on PATH. */
export async function findOfficialProvider(
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
  const [a, b] = [installed, wanted].map((version) => version.split(".").map(Number));
  if (a === undefined || b === undefined || a[0] !== b[0]) return false;
  const [minor = 0, patch = 0] = a.slice(1);
  const [wantedMinor = 0, wantedPatch = 0] = b.slice(1);
  return minor > wantedMinor || (minor === wantedMinor && patch >= wantedPatch);
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
        const { at, reason, build } = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
        if (typeof at !== "number" || typeof reason !== "string") return undefined;
        return { at, reason, ...(typeof build === "string" ? { build } : {}) };
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
