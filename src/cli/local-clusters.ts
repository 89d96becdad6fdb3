import type { LocalClusters } from "../local-cluster/cluster.ts";

/** The local clusters of this user, loaded only when a command needs them. */
export async function localClusters(
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalClusters> {
  const room = await import("../local-cluster/index.ts");
  return room.localClusters({ env });
}
