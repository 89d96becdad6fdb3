import type { KubernetesObject } from "./api.ts";

/** An entry of `metadata.managedFields`. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** The entries of an object that belong to server-side apply of the object itself. */
export function appliers(object: KubernetesObject): ManagedFields[] {
  const entries = (object.metadata?.managedFields ?? []) as readonly ManagedFields[];
  return entries.filter(({ operation, subresource }) => operation === "Apply" && !subresource);
}

/**
 * The part of an object that an owner applies: what it has to send, complete, to change one value of it. `undefined` where its
 * fields are items of lists with keys, which are not handled here.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/ and `FieldsV1` of the API reference.
 */
export function ownedBy(object: KubernetesObject, owner: ManagedFields): KubernetesObject | undefined {
  const fields = extract(object, owner.fieldsV1 ?? {});
  if (fields === unsupported) return undefined;
  const { apiVersion, kind, metadata } = object;
  const owned = fields as KubernetesObject;
  return {
    ...owned,
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: {
      ...owned.metadata,
      ...(metadata?.name === undefined ? {} : { name: metadata.name }),
      ...(metadata?.namespace === undefined ? {} : { namespace: metadata.namespace }),
    },
  };
}

const unsupported = Symbol("unsupported");

function extract(value: unknown, fields: Readonly<Record<string, unknown>>): unknown {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  // A leaf, or a list or map that is owned as a whole.
  if (keys.length === 0) return value;
  if (keys.some((key) => !key.startsWith("f:"))) return unsupported;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return unsupported;
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    const name = key.slice(2);
    if (!Object.hasOwn(value, name)) continue;
    const child = extract(Reflect.get(value, name), fields[key] as Readonly<Record<string, unknown>>);
    if (child === unsupported) return unsupported;
    result[name] = child;
  }
  return result;
}
