import { UserError } from "../../core/errors.ts";
import { objectNames, ownLabels } from "../../core/names.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import {
  type ApiRequest,
  type KubernetesApi,
  KubernetesApiError,
  type KubernetesObject,
  responseError,
} from "../../kubernetes/api.ts";
import { parseRecord } from "./parse-record.ts";
import { bounded, type RolloutRecord } from "./record.ts";
import { storedRecord } from "./record-files.ts";
import { learnTables, packedTables } from "./router-tables.ts";

interface ConfigMapObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface Stored {
  readonly record: RolloutRecord;
  readonly resourceVersion: string;
}

const maxAttempts = 8;

/** Where the rollout record of one model is kept. */
export class RecordStore {
  readonly #api: KubernetesApi;
  readonly #namespace: string;
  readonly #model: string;

  constructor(api: KubernetesApi, namespace: string, model: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#model = model;
  }

  get #collection(): string {
    return `/api/v1/namespaces/${this.#namespace}/configmaps`;
  }

  get #name(): string {
    return objectNames(this.#model).record;
  }

  /** The record; `undefined` when there is none. */
  async read(): Promise<RolloutRecord | undefined> {
    return (await this.#load())?.record;
  }

  /**
   * Writes what `change` makes of the record; when somebody else wrote in between, reads it again and asks `change` again.
   * `change` returns its argument to leave the record as it is.
   */
  async update<R extends RolloutRecord | undefined>(
    change: (record: RolloutRecord | undefined) => R,
  ): Promise<R> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      // What was done is remembered although the user stops the command.
      const stored = await this.#load(unstoppable);
      const next = change(stored?.record);
      if (next === undefined || next === stored?.record) return next;
      try {
        await this.#write(bounded(next), stored?.resourceVersion);
        return next;
      } catch (error) {
        if (!(error instanceof KubernetesApiError && error.status === 409)) throw error;
      }
    }
    throw new UserError({
      code: "record-contended",
      message: `The rollout record of ${this.#model} was changed by others ${maxAttempts} times in a row.`,
      hint: "Another command is working on this model: run `modelswitch status`, then try again.",
      exitCode: 4,
    });
  }

  /** Deletes the record. Returns whether there was one. */
  async delete(): Promise<boolean> {
    const request: ApiRequest = { method: "DELETE", path: `${this.#collection}/${this.#name}` };
    const answer = await this.#api.request(request);
    if (answer.status >= 400 && answer.status !== 404) throw responseError(request, answer);
    return answer.status !== 404;
  }

  async #load(signal?: AbortSignal): Promise<Stored | undefined> {
    const found = await this.#api.find<ConfigMapObject>(
      `${this.#collection}/${this.#name}`,
      signal === undefined ? {} : { signal },
    );
    if (found === undefined) return undefined;
    learnTables(found.data?.routers);
    return {
      record: parseRecord(found.data?.record, `${this.#namespace}/${this.#name}`),
      resourceVersion: found.metadata?.resourceVersion ?? "",
    };
  }

  async #write(record: RolloutRecord, resourceVersion: string | undefined): Promise<void> {
    const routers = packedTables(record);
    const body = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: this.#name,
        namespace: this.#namespace,
        labels: ownLabels(this.#model),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      data: { record: storedRecord(record), ...(routers === undefined ? {} : { routers }) },
    };
    if (resourceVersion === undefined) {
      await this.#api.json({ method: "POST", path: this.#collection, body });
    } else {
      await this.#api.json({ method: "PUT", path: `${this.#collection}/${this.#name}`, body });
    }
  }
}
