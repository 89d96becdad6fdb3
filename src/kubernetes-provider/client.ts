import type { ApiRequest, KubernetesApi } from "../kubernetes/api.ts";
import { KubernetesApiError, responseError } from "../kubernetes/api.ts";
import { Discovery, pathOf, type ResourceKind, scopeOf } from "./discovery.ts";
import { nameOf, namespaceOf, text } from "./objects.ts";
import type { PropertyMap } from "./struct.ts";
import { apiVersionOf, type GroupVersionKind, gvkOf } from "./tokens.ts";

/** The cluster doesn't serve this kind: usually its CustomResourceDefinition is missing. */
export class UnknownKindError extends Error {
  override readonly name = "UnknownKindError";
  readonly gvk: GroupVersionKind;

  constructor(gvk: GroupVersionKind) {
    super(
      `The cluster serves no kind "${gvk.kind}" in ${apiVersionOf(gvk)}. ` +
        "Create its CustomResourceDefinition first, or check apiVersion and kind.",
    );
    this.gvk = gvk;
  }
}

export interface WriteOptions {
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Receives what the API server warns about, for example unknown fields. */
  readonly warn: (message: string) => void;
}

/** Reads and writes objects of any kind. */
export class ObjectClient {
  readonly api: KubernetesApi;
  readonly #discovery: Discovery;

  constructor(api: KubernetesApi) {
    this.api = api;
    this.#discovery = new Discovery(api);
  }

  /** @throws UnknownKindError */
  async kind(gvk: GroupVersionKind, signal?: AbortSignal): Promise<ResourceKind> {
    const found = await this.#discovery.find(gvk, signal);
    if (found === undefined) throw new UnknownKindError(gvk);
    return found;
  }

  async serves(gvk: GroupVersionKind, signal?: AbortSignal): Promise<boolean> {
    return (await this.#discovery.find(gvk, signal)) !== undefined;
  }

  /** Kinds that the cluster doesn't know (yet) are taken for namespaced: most custom resources are. */
  async isNamespaced(gvk: GroupVersionKind, signal?: AbortSignal): Promise<boolean> {
    const scope = scopeOf(gvk);
    if (scope !== undefined) return scope === "namespace";
    return (await this.#discovery.find(gvk, signal))?.namespaced ?? true;
  }

  async find(
    gvk: GroupVersionKind,
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<PropertyMap | undefined> {
    const kind = await this.kind(gvk, signal);
    return this.api.find<PropertyMap>(pathOf(kind, namespace, name), { signal });
  }

  async create(object: PropertyMap, options: WriteOptions): Promise<PropertyMap> {
    const kind = await this.#kindOf(object, options.signal);
    return this.#write("POST", pathOf(kind, namespaceOf(object)), object, options, {});
  }

  /** Server-side apply of the complete set of fields that `fieldManager` owns. */
  async apply(object: PropertyMap, force: boolean, options: WriteOptions): Promise<PropertyMap> {
    const kind = await this.#kindOf(object, options.signal);
    const path = pathOf(kind, namespaceOf(object), nameOf(object));
    return this.#write("PATCH", path, object, options, {
      contentType: "application/apply-patch+yaml",
      force,
    });
  }

  async replace(object: PropertyMap, options: WriteOptions): Promise<PropertyMap> {
    const kind = await this.#kindOf(object, options.signal);
    return this.#write("PUT", pathOf(kind, namespaceOf(object), nameOf(object)), object, options, {});
  }

  async patch(
    of: PropertyMap,
    body: unknown,
    contentType: "application/merge-patch+json" | "application/json-patch+json",
    options: WriteOptions,
  ): Promise<PropertyMap> {
    const kind = await this.#kindOf(of, options.signal);
    return this.#write("PATCH", pathOf(kind, namespaceOf(of), nameOf(of)), body, options, { contentType });
  }

  /** Asks for deletion; `false` when the object (or its kind) is already gone. */
  async remove(
    of: PropertyMap,
    propagationPolicy: "Foreground" | "Background" | "Orphan",
    signal: AbortSignal,
  ): Promise<boolean> {
    const gvk = gvkOf(text(of, "apiVersion"), text(of, "kind"));
    if (!(await this.serves(gvk, signal))) return false;
    const kind = await this.kind(gvk, signal);
    const request: ApiRequest = {
      method: "DELETE",
      path: pathOf(kind, namespaceOf(of), nameOf(of)),
      body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy },
      signal,
    };
    const response = await this.api.request(request);
    if (response.status === 404) return false;
    if (response.status >= 400) throw responseError(request, response);
    return true;
  }

  async #kindOf(object: PropertyMap, signal: AbortSignal): Promise<ResourceKind> {
    return this.kind(gvkOf(text(object, "apiVersion"), text(object, "kind")), signal);
  }

  async #write(
    method: "POST" | "PUT" | "PATCH",
    path: string,
    body: unknown,
    options: WriteOptions,
    extra: { readonly contentType?: string; readonly force?: boolean },
  ): Promise<PropertyMap> {
    const request: ApiRequest = {
      method,
      path,
      query: {
        fieldManager: options.fieldManager,
        ...(options.dryRun ? { dryRun: "All" } : {}),
        ...(extra.force === true ? { force: true } : {}),
      },
      body,
      ...(extra.contentType === undefined ? {} : { contentType: extra.contentType }),
      signal: options.signal,
    };
    const response = await this.api.request(request);
    if (response.status >= 400) throw responseError(request, response);
    for (const warning of parseWarnings(response.headers.warning)) options.warn(warning);
    return JSON.parse(response.body) as PropertyMap;
  }
}

/** Texts of a Warning header: `299 - "unknown field \"spec.foo\"", 299 - "…"`. */
export function parseWarnings(header: string | undefined): string[] {
  const texts: string[] = [];
  for (const match of (header ?? "").matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
    texts.push((match[1] ?? "").replaceAll(/\\(.)/g, "$1"));
  }
  return texts;
}

export function isStatus(error: unknown, status: number): error is KubernetesApiError {
  return error instanceof KubernetesApiError && error.status === status;
}

/** The refusal to create something in a namespace that is not there. */
export function isMissingNamespace(error: unknown): boolean {
  return isStatus(error, 404) && /^namespaces "[^"]+" not found/.test(error.message);
}
