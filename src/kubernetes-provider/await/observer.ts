import type { KubernetesApi } from "../../kubernetes/api.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import { at, listAt, mapAt, text } from "../objects.ts";
import type { Session } from "../session.ts";
import { isList, isMap, type PropertyMap } from "../struct.ts";
import type { Verdict, Wait } from "./wait.ts";

export interface Observation {
  /** The object itself as it is now. */
  readonly object: PropertyMap;
  readonly verdict: Verdict;
  /** Reads what helps to understand a failure: events, the last lines of logs. */
  explain(): Promise<readonly string[]>;
}

/** How one kind of object is seen to be ready. */
export interface Observer {
  /** What to watch, beside looking again from time to time. */
  watch(live: PropertyMap): Wait<unknown>["watch"];
  /** `live` is the object as it was seen last, first in the answer to the write that is waited for. */
  look(session: Session, live: PropertyMap): Promise<Observation>;
}

/** Path below the namespace of an object, for example `collection(live, "/api/v1", "pods")`. */
export function collection(of: PropertyMap, root: string, plural: string): string {
  const namespace = text(of, "metadata", "namespace") || "default";
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** All objects of a collection; none when the cluster does not serve it. */
export async function list(
  api: KubernetesApi,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly PropertyMap[]> {
  try {
    const answer = await api.json<PropertyMap>({ method: "GET", path, query, signal });
    return listAt(answer, "items").filter(isMap);
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 404) return [];
    throw error;
  }
}

/** For what is helpful only: `undefined` when the account may not look. */
export async function ifAllowed<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}

/** A label selector as the API takes it in a query. Understands both Services' maps and `matchLabels`/`matchExpressions`. */
export function selectorText(selector: PropertyMap): string {
  const structured = isMap(selector.matchLabels) || isList(selector.matchExpressions);
  const labels = structured ? mapAt(selector, "matchLabels") : selector;
  const equal = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  const expressions = listAt(selector, "matchExpressions").map((expression) => {
    const key = text(expression, "key");
    const values = listAt(expression, "values").join(",");
    switch (text(expression, "operator")) {
      case "In":
        return `${key} in (${values})`;
      case "NotIn":
        return `${key} notin (${values})`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...equal, ...expressions].join(",");
}

/** The condition of a type in `status.conditions`. */
export function condition(object: PropertyMap, type: string): PropertyMap | undefined {
  return listAt(object, "status", "conditions")
    .filter(isMap)
    .find((candidate) => candidate.type === type);
}

export function isOwnedBy(object: PropertyMap, owner: PropertyMap): boolean {
  const uid = text(owner, "metadata", "uid");
  return (
    uid !== "" &&
    listAt(object, "metadata", "ownerReferences").some((reference) => text(reference, "uid") === uid)
  );
}

export function isBeingDeleted(object: PropertyMap): boolean {
  return at(object, "metadata", "deletionTimestamp") !== undefined;
}
