import { access, constants, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { exitCodes, UserError } from "../core/errors.ts";

/** Version of the official provider that belongs to our `@pulumi/kubernetes`. */
export const kubernetesProviderVersion = "4.34.2";

export type ProviderChoice =
  | { readonly kind: "official"; readonly reason: string }
  | { readonly kind: "embedded"; readonly reason: string };

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
  /** When a download was last found impossible, and why. */
  lastFailure(): Promise<{ readonly at: number; readonly reason: string } | undefined>;
  rememberFailure(failure: { readonly at: number; readonly reason: string } | undefined): Promise<void>;
}

/** How long a failed download is believed to go on failing. */
const failureLastsMs = 15 * 60_000;

/**
 * The official provider where it is installed or can be downloaded, else the embedded one.
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

  const failure = await obtain(world, wish);
  if (failure === undefined) return { kind: "official", reason: "downloaded" };
  if (wish === "auto") return { kind: "embedded", reason: failure };
  throw new UserError({
    code: "provider-unavailable",
    message: `MODELSWITCH_PROVIDER=official, but the official Kubernetes provider is not installed and cannot be downloaded: ${failure}`,
    hint: `Install it with \`pulumi plugin install resource kubernetes ${kubernetesProviderVersion}\`, or leave MODELSWITCH_PROVIDER unset to use the embedded one.`,
  });
}

async function obtain(world: ProviderWorld, wish: string): Promise<string | undefined> {
  const last = await world.lastFailure();
  const isFresh =
    last !== undefined && world.clock.now() - last.at < failureLastsMs && last.at <= world.clock.now();
  if (isFresh && wish === "auto") return last.reason;
  const reason = (await world.reachable()) ? await world.download() : "get.pulumi.com does not answer";
  if (reason !== undefined) await world.rememberFailure({ at: world.clock.now(), reason });
  else if (last !== undefined) await world.rememberFailure(undefined);
  return reason;
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

/** Remembers in the cache that the download failed, so that it is not paid for at each command. */
export function failureMemory(cacheFolder: string): Pick<ProviderWorld, "lastFailure" | "rememberFailure"> {
  const file = join(cacheFolder, "kubernetes-provider-download.json");
  return {
    lastFailure: async () => {
      try {
        const value = JSON.parse(await readFile(file, "utf8")) as { at?: unknown; reason?: unknown };
        return typeof value.at === "number" && typeof value.reason === "string"
          ? { at: value.at, reason: value.reason }
          : undefined;
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
