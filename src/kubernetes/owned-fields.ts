import type { KubernetesApi, KubernetesObject } from "./api.ts";
import { type FieldOwner, fieldOwners, ownedPart } from "./managed-fields.ts";

/** Those who own fields of an object by server-side apply of the object itself. Pure. */
export function appliers(object: KubernetesObject): FieldOwner[] {
  return fieldOwners(object).filter(
    ({ operation, subresource }) => operation === "Apply" && subresource === "",
  );
}

/**
 * The part of an object that an owner applies: what it has to send, complete, to change one value of it. Pure.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/ and `FieldsV1` of the API reference.
 */
export function ownedBy(object: KubernetesObject, owner: FieldOwner): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const owned = ownedPart(object, owner.fields) as KubernetesObject;
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

/** In whose name a declared object is written: Pulumi's field manager where it is among those who applied it. Pure. */
export function applierOf(object: KubernetesObject): FieldOwner | undefined {
  const all = appliers(object).filter(({ manager }) => manager !== "");
  return all.find(({ manager }) => manager.startsWith("pulumi")) ?? all[0];
}

export interface OwnedChange {
  readonly path: string;
  /** The object as it was looked at; `undefined`: it is not there. */
  readonly live: KubernetesObject | undefined;
  /** Owner of what is sent where nobody has applied the object. */
  readonly manager: string;
  /** What is sent: everything that its owner has, with values changed. `undefined`: nobody has applied it, and only what changes gets an owner. */
  readonly change: (owned: KubernetesObject | undefined) => KubernetesObject;
  readonly signal: AbortSignal;
}

/**
 * Changes values of an object by one request, in the name of whoever applied it. A merge patch would be another owner, a partial
 * apply would delete fields. Values that somebody else applied too are taken over.
 */
export async function applyOwned(
  api: KubernetesApi,
  { path, live, manager, change, signal }: OwnedChange,
): Promise<void> {
  const owner = live === undefined ? undefined : applierOf(live);
  await api.json({
    method: "PATCH",
    path,
    query: { fieldManager: owner?.manager ?? manager, force: true },
    body: change(live === undefined || owner === undefined ? undefined : ownedBy(live, owner)),
    signal,
  });
}
