import { pathFromConfig, readConfig } from "../config/read.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { ResolvedConfig } from "../config/types.ts";
import type { GlobalOptions } from "./command.ts";
import { contextNamespace, resolveKubeconfig } from "./kubeconfig.ts";

/**
 * The configuration of a command: the file found, validated, every default filled in and the cluster chosen.
 * @throws UserError with exit code 2 for everything that is wrong with the file or the choice of the cluster
 */
export async function loadConfig(
  globals: Pick<GlobalOptions, "folder" | "configPath" | "kubeconfigPath" | "context" | "cluster">,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ResolvedConfig> {
  const { file, config } = await readConfig(globals);
  const kubeconfig = await resolveKubeconfig(globals, env, {
    ...(config.kubeconfig === undefined
      ? {}
      : { kubeconfig: pathFromConfig(config.kubeconfig, file, env.HOME) }),
    ...(config.context === undefined ? {} : { context: config.context }),
  });
  return resolveConfig(config, {
    file,
    kubeconfig,
    contextNamespace: config.namespace ?? (await contextNamespace(kubeconfig)),
  });
}
