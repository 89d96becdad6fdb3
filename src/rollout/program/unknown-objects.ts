import { exitCodes, UserError } from "../../core/errors.ts";
import type { ModelSpec } from "../../core/model.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import { fieldOwners } from "../../kubernetes/managed-fields.ts";
import { type DeclaredObject, declaredObjects, objectPath } from "./declared-objects.ts";
import { ownersOf } from "./object-owners.ts";

/** An object that is there although Pulumi's state does not know it. */
export interface UnknownObject extends DeclaredObject {
  readonly live: KubernetesObject;
}

/** What Pulumi would create, and finds there. */
export interface UnknownObjects {
  /** The model's own: its state was lost, or a run was killed before it wrote down what it had made. */
  readonly ours: readonly UnknownObject[];
  readonly foreign: readonly UnknownObject[];
}

/**
 * Looks for each object that Pulumi would create whether it is there. No provider decides that: some take over whatever they find,
 * others fail half-way.
 */
export async function unknownObjects(
  {
    api,
    namespace,
    signal,
  }: { readonly api: KubernetesApi; readonly namespace: string; readonly signal: AbortSignal },
  spec: ModelSpec,
  known: readonly StackResource[],
): Promise<UnknownObjects> {
  const ids = new Set(known.map(({ kind, id }) => `${kind} ${id}`));
  const created = declaredObjects(spec).filter(({ kind, name }) => !ids.has(`${kind} ${namespace}/${name}`));
  const found = await Promise.all(
    created.map(async (object): Promise<UnknownObject[]> => {
      try {
        const live = await api.find<KubernetesObject>(objectPath(namespace, object), { signal });
        // One that is being deleted is gone in a moment.
        return live === undefined || live.metadata?.deletionTimestamp !== undefined
          ? []
          : [{ ...object, live }];
      } catch (error) {
        // Whoever may not look at it is told by the API server when it is to be made.
        if (error instanceof KubernetesApiError && error.status === 403) return [];
        throw error;
      }
    }),
  );
  const all = found.flat();
  const isOurs = ({ live }: UnknownObject) => belongsTo(live, spec);
  return { ours: all.filter(isOurs), foreign: all.filter((one) => !isOurs(one)) };
}

/** Whether an object says that it is the model's. Adopted ones keep the labels that they had, but for the one that says who manages. */
function belongsTo({ metadata }: KubernetesObject, spec: ModelSpec): boolean {
  const { labels = {}, name } = metadata ?? {};
  if (labels["app.kubernetes.io/managed-by"] !== "modelswitch") return false;
  if (labels["app.kubernetes.io/instance"] === spec.name) return true;
  const { adopted } = spec;
  if (adopted === undefined) return false;
  const { deployment, service, autoscaler } = spec.slots[adopted.slot];
  return [deployment, service, autoscaler, spec.ingress.name].includes(name);
}

/**
 * Refuses to take over what somebody else made.
 * @throws UserError `object-taken` (exit code 2)
 */
export function refuseForeign(spec: ModelSpec, { foreign }: UnknownObjects): void {
  if (foreign.length === 0) return;
  const owners = foreign.map(({ kind, live }) => whose(kind, live));
  throw new UserError({
    code: "object-taken",
    message: [
      `The model ${spec.name} needs names in ${spec.namespace} that others have already:`,
      ...foreign.map(({ kind, name }, index) => `  ${kind} ${name}: ${owners[index]?.reason}`),
    ].join("\n"),
    hint: `Give the model another name, or delete what is there if nobody needs it. What serves already is taken over by \`modelswitch init --from ingress/NAME\`.${owners
      .map(({ remedy }) => (remedy === undefined ? "" : ` Or ${remedy}.`))
      .filter((text, index, all) => all.indexOf(text) === index)
      .join("")}`,
    exitCode: exitCodes.usage,
    details: { objects: foreign.map(({ kind, name }) => ({ kind, name })) },
  });
}

function whose(kind: string, live: KubernetesObject): { readonly reason: string; readonly remedy?: string } {
  const [owner] = ownersOf(kind, live);
  if (owner !== undefined) return owner;
  const managedBy = live.metadata?.labels?.["app.kubernetes.io/managed-by"];
  if (managedBy !== undefined) return { reason: `its label says that ${managedBy} manages it` };
  const writers = fieldOwners(live).filter(({ subresource }) => subresource === "");
  const [first] = writers.toSorted((a, b) => (a.time ?? "").localeCompare(b.time ?? ""));
  return {
    reason:
      first === undefined
        ? "nothing says who made it"
        : `written by ${first.manager}${first.time === undefined ? "" : ` at ${first.time}`}`,
  };
}

/** `Service a, Deployment b`. */
export function listed(objects: readonly DeclaredObject[]): string {
  return objects.map(({ kind, name }) => `${kind} ${name}`).join(", ");
}
