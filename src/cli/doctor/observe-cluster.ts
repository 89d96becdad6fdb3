import { isIP } from "node:net";
import { routerNamed } from "../../component/routers/factory.ts";
import type { ObservedObject, Router } from "../../component/routers/router.ts";
import { defaults } from "../../core/defaults.ts";
import type { ObjectNames } from "../../core/names.ts";
import { objectPath } from "../../core/object-kind.ts";
import { type OptionalRow, optionalRows, type RoutingNeeds } from "../../core/optional-permissions.ts";
import { type Permission, permissionsOf } from "../../core/permission-checks.ts";
import { type PermittedCommand, requiredRows, stateRow } from "../../core/permissions.ts";
import { deniedPermissions } from "../../kubernetes/access.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import type { Lacking, NamespaceFound } from "./verdicts.ts";

/** What `doctor` reads from a cluster. Nothing is written. */

export async function gitVersion(api: KubernetesApi, signal: AbortSignal): Promise<string> {
  const version = await api.json<{ readonly gitVersion?: string }>({
    method: "GET",
    path: "/version",
    signal,
  });
  return version.gitVersion ?? "";
}

export async function findNamespace(
  api: KubernetesApi,
  name: string,
  signal: AbortSignal,
): Promise<NamespaceFound> {
  try {
    return (await api.find(`/api/v1/namespaces/${name}`, { signal })) === undefined ? "missing" : "there";
  } catch (error) {
    if (isForbidden(error)) return "forbidden";
    throw error;
  }
}

/**
 * What the account lacks for the model, or for models of any name; `undefined` when the API server does not say. `stateSecrets`: those that the
 * state is in, or would be.
 */
export async function lackingPermissions(
  api: KubernetesApi,
  namespace: string,
  model: ObjectNames | undefined,
  signal: AbortSignal,
  stateSecrets?: readonly string[],
  /** What the model's router writes and reads. @default the default router's */
  needs: RoutingNeeds = routerNamed(defaults.router),
): Promise<Lacking | undefined> {
  const required = requiredRows(needs.rights);
  const reading = permissionsOf(required, ["status", "plan", "doctor"], model);
  const all = permissionsOf(required, ["up", "switch", "destroy"], model);
  const engine = permissionsOf(required, ["engine"], model);
  const isIn = (list: readonly Permission[], one: Permission) =>
    list.some((other) => samePermission(one, other));
  const ofRow = (row: OptionalRow) => permissionsOf([row], everyCommand, model);
  const rows: readonly OptionalRow[] = [...optionalRows(needs), ...stateRows(stateSecrets)];
  const ofScope = (scope: OptionalRow["scope"]) => rows.filter((row) => row.scope === scope).flatMap(ofRow);
  const [denied, deniedCluster] = await Promise.all([
    deniedPermissions(api, namespace, [...reading, ...all, ...engine, ...ofScope("namespace")], signal),
    deniedPermissions(api, undefined, ofScope("cluster"), signal),
  ]);
  if (denied === undefined) return undefined;
  const lacks = (row: OptionalRow) =>
    ofRow(row).some((one) => isIn((row.scope === "cluster" ? deniedCluster : denied) ?? [], one));
  return {
    reading: reading.filter((one) => isIn(denied, one)),
    writing: all.filter((one) => isIn(denied, one) && !isIn(reading, one)),
    engine: engine.filter((one) => isIn(denied, one) && !isIn(reading, one)),
    optional: rows.filter(lacks),
  };
}

function stateRows(secrets: readonly string[] | undefined): readonly OptionalRow[] {
  if (secrets === undefined) return [];
  const without = "Pulumi's state is not kept in the cluster, and one that is there cannot be gone on with";
  return [{ ...stateRow(secrets), scope: "namespace", without }];
}

const everyCommand: readonly PermittedCommand[] = [
  ...(["status", "plan", "doctor", "up", "switch", "destroy", "init", "adopt", "release", "engine"] as const),
];

const samePermission = (a: Permission, b: Permission) =>
  a.verb === b.verb && a.group === b.group && a.resource === b.resource && a.name === b.name;

interface List {
  readonly items?: readonly KubernetesObject[];
}

/** Pods of ingress-nginx, as `NAMESPACE/NAME`; `undefined` when the account may not look. */
export async function retiredControllers(
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const list = await api.json<List>({
      method: "GET",
      path: "/api/v1/pods",
      query: { labelSelector: "app.kubernetes.io/name=ingress-nginx", limit: 5 },
      signal,
    });
    return (list.items ?? []).map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** Addresses in the status of an Ingress, host names resolved; `undefined` when the Ingress does not exist. */
export async function ingressAddresses(
  api: KubernetesApi,
  namespace: string,
  name: string,
  lookup: (host: string) => Promise<readonly string[]>,
  signal: AbortSignal,
  router: Router = routerNamed(defaults.router),
): Promise<string[] | undefined> {
  const path = objectPath(namespace, { kind: router.kinds[0], name });
  const main = await api.find<KubernetesObject & ObservedObject>(path, { signal });
  if (main === undefined) return undefined;
  const found = await Promise.all(
    // A name that does not resolve yet is shown as it is.
    router
      .front(main)
      .addresses.map(async (address) =>
        isIP(address) > 0 ? [address] : lookup(address).catch(() => [address]),
      ),
  );
  return [...new Set(found.flat())];
}

function isForbidden(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.status === 403;
}
