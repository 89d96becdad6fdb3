import { join, resolve } from "node:path";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { Clock } from "../../core/clock.ts";
import { permissionsOf } from "../../core/permission-checks.ts";
import { stateRow } from "../../core/permissions.ts";
import { parseState, readStateText } from "../../engine/state-file.ts";
import { projectFolders } from "../../engine/workspace.ts";
import { deniedPermissions } from "../../kubernetes/access.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import { ClusterState } from "../../state/cluster-state.ts";
import { clusterIdentity, makePrivateFolder, privateFolder } from "../../state/local-copy.ts";
import { allStateNames, type StackId, stateNames } from "../../state/names.ts";
import { stateFolder } from "../../tools/state-folder.ts";
import type { RolloutRecord } from "../record/record.ts";
import { type StatePlace, stackOf } from "./state-record.ts";

export interface StatePlaceOptions {
  readonly config: Pick<ResolvedConfig, "name" | "folder" | "pulumi">;
  readonly namespace: string;
  readonly api: KubernetesApi;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Who works, `user@host`. */
  readonly operator: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What is remembered of the model, where that can be read. */
  readonly record: () => Promise<RolloutRecord | undefined>;
}

/**
 * Looks where the state is: where the configuration says; else in the cluster, where it is there or nowhere else. Writes nothing into the
 * cluster.
 * @throws UserError `state-unreadable`, `state-version`, `cluster-unreachable`
 */
export async function findStatePlace(options: StatePlaceOptions): Promise<StatePlace> {
  const { config, namespace, api, signal } = options;
  const { backendUrl, secretsProvider } = config.pulumi;
  if (backendUrl !== undefined || secretsProvider !== undefined) return { kind: "configured" };
  let cluster: Extract<StatePlace, { kind: "cluster" }>;
  try {
    cluster = await clusterPlace(options);
  } catch (error) {
    // Whoever may not read the Secret has nothing of it.
    if (!(error instanceof KubernetesApiError && error.status === 403)) throw error;
    return { kind: "folder", why: "refused", mayMove: false, isThere: await isInFolder(options) };
  }
  if (cluster.stored !== undefined) return cluster;
  const wanted = stateRights(config.name, stackOf(config, namespace));
  const denied = await deniedPermissions(api, namespace, wanted, signal);
  const mayMove = (denied ?? []).length === 0;
  // One that is in the folder all the same is an old one.
  const isThere = !cluster.kept.isRecorded && (await isInFolder(options));
  if (isThere) return { kind: "folder", why: "there", mayMove, isThere };
  return mayMove ? cluster : { kind: "folder", why: "refused", mayMove, isThere };
}

/** The state of the model in the cluster, whether there is one or not. */
export async function clusterPlace(
  options: StatePlaceOptions,
): Promise<Extract<StatePlace, { kind: "cluster" }>> {
  const { config, namespace, api, env, operator, clock, record } = options;
  const id = stackOf(config, namespace);
  const state = new ClusterState({ api, namespace, model: config.name, id, by: operator, clock });
  const [stored, cluster, remembered] = await Promise.all([
    state.load(),
    clusterIdentity(api, namespace),
    record().catch(() => undefined),
  ]);
  const homes = [stateFolder(env), join(resolve(config.folder), ".modelswitch")];
  const folder = await makePrivateFolder(
    homes.map((home) => privateFolder(home, { cluster, namespace, ...id })),
  );
  // The record is written before the first operation begins: one that was killed in between has lost nothing.
  const isRecorded = remembered?.state?.backend === null && !remembered.applying;
  return { kind: "cluster", kept: { state, folder, isRecorded }, stored };
}

/** What keeping a state in the cluster takes. */
export function stateRights(model: string, id: StackId) {
  const row = stateRow(allStateNames(stateNames(model, id)));
  return permissionsOf([row], ["up", "switch", "destroy"], undefined);
}

/** Whether the project's folder has a state of the model with anything in it. */
async function isInFolder({ config, namespace }: StatePlaceOptions): Promise<boolean> {
  const { project, stack } = stackOf(config, namespace);
  const { stateFolder: folder } = projectFolders({ folder: config.folder, project });
  const text = folder === undefined ? undefined : await readStateText(folder, project, stack).catch(() => "");
  // What cannot be read is somebody's state all the same.
  if (text === undefined || text === "") return text === "";
  const { resources, pending } = parseState(text);
  return resources.length > 0 || pending.length > 0;
}
