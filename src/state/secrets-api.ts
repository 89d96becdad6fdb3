import { ownLabels } from "../core/names.ts";
import { unstoppable } from "../core/unstoppable.ts";
import {
  type ApiRequest,
  type KubernetesApi,
  KubernetesApiError,
  type KubernetesObject,
  responseError,
} from "../kubernetes/api.ts";

export interface SecretObject extends KubernetesObject {
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** Under this name everything is written, so that it shows who wrote last. */
export const stateManager = "modelswitch";

/** The Secrets of one namespace, each by its name: none is ever listed. */
export class Secrets {
  readonly #api: KubernetesApi;
  readonly #namespace: string;
  readonly #labels: Readonly<Record<string, string>>;

  constructor(api: KubernetesApi, namespace: string, model: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#labels = ownLabels(model);
  }

  get #collection(): string {
    return `/api/v1/namespaces/${this.#namespace}/secrets`;
  }

  /** For messages. */
  where(name: string): string {
    return `${this.#namespace}/${name}`;
  }

  /** `signal`: @default the user's stop */
  async find(name: string, signal?: AbortSignal): Promise<SecretObject | undefined> {
    const how = signal === undefined ? {} : { signal };
    return await this.#api.find<SecretObject>(`${this.#collection}/${name}`, how);
  }

  /** The same without what it holds; it is read to be written, which ends although the user stops the command. */
  async findMetadata(name: string): Promise<KubernetesObject | undefined> {
    return await this.#api.find(`${this.#collection}/${name}`, {
      signal: unstoppable,
      headers: { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json" },
    });
  }

  /**
   * Writes a Secret where it is as it was read. Without `resourceVersion` it is made.
   * @returns the new one; `undefined` where somebody else was quicker, or it is gone
   */
  async write(
    name: string,
    data: Readonly<Record<string, Buffer>>,
    resourceVersion?: string,
  ): Promise<SecretObject | undefined> {
    const isNew = resourceVersion === undefined;
    const body = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name,
        namespace: this.#namespace,
        labels: this.#labels,
        ...(isNew ? {} : { resourceVersion }),
      },
      type: "Opaque",
      data: Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, bytes.toString("base64")])),
    };
    try {
      return await this.#api.json<SecretObject>({
        method: isNew ? "POST" : "PUT",
        path: isNew ? this.#collection : `${this.#collection}/${name}`,
        query: { fieldManager: stateManager },
        body,
      });
    } catch (error) {
      // 404 of a Secret, not of its namespace.
      const isGone = !isNew && error instanceof KubernetesApiError && error.status === 404;
      if (isGone || (error instanceof KubernetesApiError && error.status === 409)) return undefined;
      throw error;
    }
  }

  /** Returns whether there was one. */
  async delete(name: string): Promise<boolean> {
    const request: ApiRequest = { method: "DELETE", path: `${this.#collection}/${name}` };
    const answer = await this.#api.request(request);
    if (answer.status >= 400 && answer.status !== 404) throw responseError(request, answer);
    return answer.status !== 404;
  }
}
