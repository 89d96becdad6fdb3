import { allRights, routerNamed } from "../../component/routers/factory.ts";
import type { ModelSpec } from "../../core/model.ts";
import { optionalRows, type RoutingNeeds } from "../../core/optional-permissions.ts";
import { type Permission, permissionsOf } from "../../core/permission-checks.ts";
import { requiredRows } from "../../core/permissions.ts";
import type { RouterName } from "../../core/router-names.ts";
import { refuseDenied } from "../../kubernetes/access.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { knownKind } from "./declared-objects.ts";

/** Kubernetes kinds, for example `Ingress`; others than a model has are of no interest. */
export type KindNames = Iterable<string>;

/** What Pulumi's provider has to see of a namespace to write a model, and to delete objects of these kinds. */
export function engineRights(present: KindNames, router?: RouterName): readonly Permission[] {
  const needs = needsOf(new Set(present), router);
  const plurals = new Set([...present].flatMap((kind) => knownKind(kind)?.plural ?? []));
  const some = optionalRows(needs).filter(({ resource }) => plurals.has(resource));
  const files: Permission[] = plurals.has("configmaps")
    ? [{ verb: "list", group: "", resource: "configmaps" }]
    : [];
  return [...permissionsOf([...requiredRows(needs.rights), ...some], ["engine"], undefined), ...files];
}

/** What is known of the router; else the kinds that are there say which ones write them. */
function needsOf(present: ReadonlySet<string>, router: RouterName | undefined): RoutingNeeds {
  if (router !== undefined) return routerNamed(router);
  const rights = allRights().filter(({ kind }) => present.has(kind.kind));
  return { rights, reads: [] };
}

/** The router by which rights are asked for; with others beside it the kinds of what is declared say which. */
export function routerOfRights(
  spec: Pick<ModelSpec, "router" | "besides"> | undefined,
): RouterName | undefined {
  return (spec?.besides ?? []).length > 0 ? undefined : spec?.router;
}

interface Place {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/**
 * Refuses to let Pulumi write where its provider could not see what becomes of it: it does not fail then, but waits for ever.
 * @throws UserError `permission-denied` naming all that is missing
 */
export async function requireEngineRights(
  place: Place,
  present: KindNames,
  router: RouterName | undefined,
  about: Parameters<typeof refuseDenied>[2] = {},
): Promise<void> {
  await refuseDenied(place, engineRights(present, router), about);
}
