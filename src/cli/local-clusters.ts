import { exitCodes, isNotInstalled, UserError } from "../core/errors.ts";
import type { LocalClusterPackage, LocalClusters } from "../core/local-cluster.ts";

/** Not a literal, so that what is compiled does not depend on it. */
const packageName: string = "@modelswitch/local-cluster";

/**
 * The local clusters of this user, loaded only when a command needs them.
 * @throws UserError `local-cluster-missing` where their package is not installed
 */
export async function localClusters(
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalClusters> {
  const room = await loadPackage();
  return room.localClusters({ env });
}

/** The same, or `undefined` where their package is not installed. */
export async function localClustersIfInstalled(
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalClusters | undefined> {
  try {
    return await localClusters(env);
  } catch (error) {
    if (error instanceof UserError && error.code === "local-cluster-missing") return undefined;
    throw error;
  }
}

async function loadPackage(): Promise<LocalClusterPackage> {
  try {
    return (await import(packageName)) as LocalClusterPackage;
  } catch (error) {
    if (!isNotInstalled(error, packageName)) throw error;
    throw new UserError({
      code: "local-cluster-missing",
      message: `Local clusters come in a package of their own, ${packageName}, which is not installed.`,
      hint: `Install it beside modelswitch: \`npm install ${packageName}\` (with --global where modelswitch is). No other command needs it.`,
      exitCode: exitCodes.usage,
    });
  }
}
