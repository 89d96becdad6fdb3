import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "./api.ts";

/** What the API server answers a list with. */
export interface List<T> {
  readonly items?: readonly T[];
}

/**
 * Reads lists of objects, of each kind none older than the newest object seen. That a list is the newest there is, the API server knows only
 * when etcd has told its cache that nothing is missing, up to 0.1 s after any write; so only the first is asked for like that. "Not older
 * than" an object that it has told of itself it answers at once, with all that it has learnt since:
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 *
 * The version of an object, not of a list: before Kubernetes 1.31 a list's version is etcd's, which the cache may be told of much later.
 */
export class Lists {
  readonly #api: KubernetesApi;
  /** Version of the newest object by kind. They are numbers: https://kep.k8s.io/5504 */
  readonly #newest = new Map<string, number>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  async find<T extends KubernetesObject>(
    path: string,
    options: { readonly labelSelector: string; readonly signal?: AbortSignal | undefined },
  ): Promise<List<T> | undefined> {
    const { labelSelector, signal } = options;
    const read = (version: object) =>
      this.#api.find<List<T>>(path, {
        query: { labelSelector, ...version },
        ...(signal === undefined ? {} : { signal }),
      });
    const newest = this.#newest.get(path);
    const list =
      newest === undefined
        ? await read({})
        : await read({ resourceVersion: `${newest}`, resourceVersionMatch: "NotOlderThan" }).catch(
            (error: unknown) => {
              if (!isTooLarge(error)) throw error;
              // The cluster has begun anew, for example from a backup.
              this.#newest.delete(path);
              return read({});
            },
          );
    this.#note(path, list?.items ?? []);
    return list;
  }

  #note(path: string, items: readonly KubernetesObject[]): void {
    const versions = items
      .map(({ metadata }) => Number(metadata?.resourceVersion))
      .filter(Number.isSafeInteger);
    const newest = Math.max(this.#newest.get(path) ?? 0, ...versions);
    if (newest > 0) this.#newest.set(path, newest);
  }
}

/** The API server has never got as far as that version. */
function isTooLarge(error: unknown): boolean {
  return error instanceof KubernetesApiError && /too large resource version/i.test(error.message);
}
