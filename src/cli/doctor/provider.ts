import { UserError } from "../../core/errors.ts";
import { findProviderPlugin, kubernetesProviderVersion } from "../../engine/provider.ts";
import { pulumiHome } from "../../engine/workspace.ts";
import { cacheFolder, ensureRecipe } from "../../tools/ensure.ts";
import { which } from "../../tools/find-on-path.ts";
import { kubernetesProvider } from "../../tools/recipes/kubernetes-provider.ts";
import { ok, type Verdict, warning } from "./check.ts";

export interface ProviderFacts {
  /** Where the CLI finds it by itself. */
  readonly installed: string | undefined;
  /** The one in the cache that was built from its module. */
  readonly built: { readonly path: string; readonly version: string } | undefined;
  readonly goInstalled: boolean;
}

/** Looks, and neither downloads nor builds. */
export async function findProvider(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<ProviderFacts> {
  return {
    installed: await findProviderPlugin(pulumiHome(env, cacheFolder(env)), env),
    built: await findBuilt(env, signal),
    goInstalled: (await which("go", env)) !== undefined,
  };
}

async function findBuilt(env: Readonly<Record<string, string | undefined>>, signal: AbortSignal) {
  try {
    const recipe = { ...kubernetesProvider, sources: [] };
    const { programs, version } = await ensureRecipe(recipe, { signal, progress: () => {} }, { env });
    return { path: Object.values(programs)[0] ?? "", version };
  } catch (error) {
    if (error instanceof UserError && error.code === "tool-unavailable") return undefined;
    throw error;
  }
}

const install = `\`pulumi plugin install resource kubernetes ${kubernetesProviderVersion}\``;

/** Which Kubernetes provider the next command uses, in the order in which the engine looks. */
export function providerVerdict({ installed, built, goInstalled }: ProviderFacts): Verdict {
  if (installed !== undefined) return ok(installed);
  if (built !== undefined) {
    return warning(
      `${built.version}, built at ${built.path}; @pulumi/kubernetes asks for v${kubernetesProviderVersion}, which could not be downloaded`,
      `It serves. Where it can be downloaded, ${install} brings the newer one.`,
    );
  }
  return warning(
    `neither installed nor in the cache; the first command that needs it downloads it${goInstalled ? ", else builds it" : ""}`,
    goInstalled
      ? "Nothing to do; a download takes seconds, a build from source about ten minutes, once."
      : `Where downloads are blocked, run ${install} or install Go (https://go.dev/dl) first: there it is built from source.`,
  );
}
