import type { ObjectNames } from "./names.ts";
import { type NamedObjects, type PermissionRow, type PermittedCommand, verbs } from "./permissions.ts";

/** One permission, as the API server decides on it. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Absent: any object. */
  readonly name?: string;
}

/** Names of the objects of a model; `undefined`: no name is asked for. */
export function namesOf(names: NamedObjects, all: ObjectNames): readonly string[] | undefined {
  if (typeof names === "function") return names(all);
  switch (names) {
    case "deployments":
      return Object.values(all.deployment);
    case "autoscalers":
      return Object.values(all.autoscaler);
    case "services":
      return Object.values(all.service);
    case "routing":
      return [all.ingress, all.canaryIngress];
    case "route":
      return [all.ingress];
    case "record":
      return [all.record];
    case "any":
      return undefined;
  }
}

/** Whether the API server knows the name of the object when it decides on this verb. */
export function isNamed(verb: string): boolean {
  return verb !== "create" && verb !== "list";
}

/** Every single permission of the rows for the commands named; without the names of a model, for objects of any name. */
export function permissionsOf(
  rows: readonly PermissionRow[],
  commands: readonly PermittedCommand[],
  model: ObjectNames | undefined,
): readonly Permission[] {
  return rows.flatMap(({ group, resource, names, objects, verbs: wanted }) =>
    verbs
      .filter((verb) => wanted[verb]?.some((command) => commands.includes(command)))
      .flatMap((verb): Permission[] => {
        if (objects !== undefined && isNamed(verb))
          return objects.map((name) => ({ verb, group, resource, name }));
        const named = model === undefined || !isNamed(verb) ? undefined : namesOf(names, model);
        if (named === undefined) return [{ verb, group, resource }];
        return named.map((name) => ({ verb, group, resource, name }));
      }),
  );
}

/** A rule of a Role, as Kubernetes writes it. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Whether a rule grants a permission, as the API server's role-based authorizer decides. */
export function grants(rule: PolicyRule, permission: Permission): boolean {
  const has = (list: readonly string[] | undefined, value: string) =>
    list !== undefined && (list.includes(value) || list.includes("*"));
  const [, subresource] = permission.resource.split("/");
  const resource =
    has(rule.resources, permission.resource) ||
    (subresource !== undefined && rule.resources?.includes(`*/${subresource}`) === true);
  const names = rule.resourceNames ?? [];
  const named = names.length === 0 || (permission.name !== undefined && names.includes(permission.name));
  return has(rule.verbs, permission.verb) && has(rule.apiGroups, permission.group) && resource && named;
}

/** `deployments.apps`, as kubectl names resources. */
export function resourceName({ group, resource }: Pick<Permission, "group" | "resource">): string {
  return group === "" ? resource : `${resource}.${group}`;
}

/** One line per resource: `create, patch deployments.apps "fraud-blue", "fraud-green"`. */
export function describePermissions(permissions: readonly Permission[]): readonly string[] {
  const byResource = new Map<string, { verbs: Set<string>; names: Set<string> }>();
  for (const permission of permissions) {
    const key = resourceName(permission);
    const entry = byResource.get(key) ?? { verbs: new Set(), names: new Set() };
    entry.verbs.add(permission.verb);
    if (permission.name !== undefined) entry.names.add(`"${permission.name}"`);
    byResource.set(key, entry);
  }
  return [...byResource].map(([resource, { verbs: wanted, names }]) =>
    [[...wanted].join(", "), resource, [...names].join(", ")].filter(Boolean).join(" "),
  );
}
