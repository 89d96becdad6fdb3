import { valueAt } from "../core/fields.ts";
import { parseState, type StateResource } from "./state-file.ts";

/** Where the Kubernetes provider keeps the name under which it applies an object. */
const key = "__fieldManager";

/**
 * An exported state in which these objects are applied under the name under which they were made. The provider makes a name up at the
 * creation, and another one at the next reading where the state knows none: then it would be in conflict with itself. `undefined` where
 * nothing is to be changed.
 */
export function withTheirManagers(exported: string, urns: readonly string[]): string | undefined {
  const value = JSON.parse(exported) as { deployment: Record<string, unknown> };
  const { resources } = parseState(exported);
  let changed = false;
  const corrected = resources.map((resource) => {
    const manager = urns.includes(resource.urn) ? managerOf(resource) : undefined;
    if (manager === undefined) return resource;
    changed = true;
    return { ...resource, outputs: { ...resource.outputs, [key]: manager } };
  });
  return changed
    ? JSON.stringify({ ...value, deployment: { ...value.deployment, resources: corrected } })
    : undefined;
}

/** The name that the cluster knows, where the state has one that the cluster doesn't. */
function managerOf({ outputs }: StateResource): string | undefined {
  const entries = valueAt(outputs, ["metadata", "managedFields"]);
  const managers = (Array.isArray(entries) ? entries : []).flatMap((entry: unknown) => {
    const manager = valueAt(entry, ["manager"]);
    const isApplied =
      valueAt(entry, ["operation"]) === "Apply" && valueAt(entry, ["subresource"]) === undefined;
    return isApplied && typeof manager === "string" && /^pulumi-kubernetes-/.test(manager) ? [manager] : [];
  });
  const known = outputs?.[key];
  return typeof known === "string" && managers.includes(known) ? undefined : managers[0];
}
