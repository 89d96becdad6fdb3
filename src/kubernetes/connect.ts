// Not the package's index: `bin/modelswitch.js` keeps all that nobody uses of it from being loaded.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { type HttpMethod, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { type Dispatcher, request as httpRequest } from "undici";
import { exitCodes, interrupted, UserError } from "../core/errors.ts";
import {
  type ApiRequest,
  type ApiResponse,
  type KubernetesApi,
  type LineStream,
  responseError,
  type WatchEvent,
} from "./api.ts";

/** Where the credentials of a cluster come from. */
export interface KubeconfigSource {
  /** The kubeconfig itself (YAML or JSON). Wins over `path`. */
  readonly contents?: string;
  /** A kubeconfig file. @default KUBECONFIG, then ~/.kube/config, then the pod's service account */
  readonly path?: string;
  /** @default the kubeconfig's current context */
  readonly context?: string;
  /** Replaces the context's cluster. */
  readonly cluster?: string;
}

export interface Connection {
  readonly api: KubernetesApi;
  readonly context: string;
  /** Namespace of the context. @default default */
  readonly namespace: string;
}

/**
 * Reads the kubeconfig and makes a client. Sends nothing yet.
 * @throws UserError `kubeconfig-invalid`, `context-unknown`
 */
export function connect(source: KubeconfigSource = {}): Connection & { readonly api: LineStream } {
  const config = load(source);
  if (source.context !== undefined) {
    const names = config.getContexts().map((context) => context.name);
    if (!names.includes(source.context)) {
      throw new UserError({
        code: "context-unknown",
        message: `The kubeconfig has no context "${source.context}".`,
        hint: names.length === 0 ? "It has no contexts at all." : `Its contexts are: ${names.join(", ")}.`,
        exitCode: exitCodes.usage,
      });
    }
    config.setCurrentContext(source.context);
  }
  const context = config.getContextObject(config.getCurrentContext());
  if (source.cluster !== undefined && context !== null) Object.assign(context, { cluster: source.cluster });
  const cluster = config.getCurrentCluster();
  if (cluster === null || context === null) {
    throw new UserError({
      code: "kubeconfig-invalid",
      message: `${describe(source)} names no cluster for the context "${config.getCurrentContext()}".`,
      hint: "Pass --context, set current-context, or start a local cluster with `modelswitch cluster up`.",
      exitCode: exitCodes.usage,
    });
  }
  return {
    api: new HttpKubernetesApi(config, cluster.server.replace(/\/$/, "")),
    context: context.name,
    namespace: context.namespace ?? "default",
  };
}

function describe(source: KubeconfigSource): string {
  if (source.contents !== undefined) return "The kubeconfig given as contents";
  return `The kubeconfig ${source.path ?? process.env.KUBECONFIG ?? "~/.kube/config"}`;
}

function load(source: KubeconfigSource): KubeConfig {
  const config = new KubeConfig();
  try {
    if (source.contents !== undefined) config.loadFromString(source.contents);
    else if (source.path !== undefined) config.loadFromFile(source.path);
    else config.loadFromDefault();
  } catch (error) {
    throw new UserError({
      code: "kubeconfig-invalid",
      // No cause: it would be shown with --debug, and quotes the file.
      message: `${describe(source)} cannot be read: ${withoutQuotation(error)}`,
      exitCode: exitCodes.usage,
    });
  }
  return config;
}

/** The parser shows the lines around a mistake, and in a kubeconfig these are credentials. */
function withoutQuotation(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name !== "YAMLException") return error.message;
  return (error.message.split("\n")[0] ?? "").replaceAll(/"[^"]*"/g, '"…"');
}

class HttpKubernetesApi implements KubernetesApi, LineStream {
  readonly server: string;
  readonly #config: KubeConfig;
  #dispatcher: { readonly value: Dispatcher | undefined; readonly madeAt: number } | undefined;

  constructor(config: KubeConfig, server: string) {
    this.#config = config;
    this.server = server;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#send(request, request.timeoutMs ?? 30_000);
    const { statusCode: status, headers } = response;
    const { maxBytes } = request;
    if (maxBytes === undefined) {
      return { status, headers: flatten(headers), body: await this.#read(request, response) };
    }
    return { status, headers: flatten(headers), ...(await this.#beginning(request, response, maxBytes)) };
  }

  async json<T>(request: ApiRequest): Promise<T> {
    const response = await this.request(request);
    if (response.status >= 400) throw responseError(request, response);
    return JSON.parse(response.body) as T;
  }

  async find<T>(path: string, options: Omit<ApiRequest, "method" | "path"> = {}): Promise<T | undefined> {
    const request: ApiRequest = { ...options, method: "GET", path };
    const response = await this.request(request);
    if (response.status === 404) return undefined;
    if (response.status >= 400) throw responseError(request, response);
    return JSON.parse(response.body) as T;
  }

  async *watch(
    path: string,
    options: { query?: ApiRequest["query"]; signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    const query = { allowWatchBookmarks: true, ...options.query, watch: true };
    for await (const line of this.lines(path, { query, signal: options.signal })) {
      if (line.trim() !== "") yield JSON.parse(line) as WatchEvent;
    }
  }

  async *lines(
    path: string,
    options: { readonly query?: ApiRequest["query"]; readonly signal: AbortSignal },
  ): AsyncIterable<string> {
    const { query, signal } = options;
    const request: ApiRequest = { method: "GET", path, signal, ...(query === undefined ? {} : { query }) };
    const response = await this.#send(request, 0);
    if (response.statusCode >= 400) {
      throw responseError(request, {
        status: response.statusCode,
        headers: {},
        body: await this.#read(request, response),
      });
    }
    let buffered = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body) {
        buffered += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = buffered.split("\n");
        buffered = lines.pop() ?? "";
        yield* lines;
      }
      if (buffered !== "") yield buffered;
    } catch (error) {
      if (!options.signal.aborted) throw error;
    }
  }

  async #send(request: ApiRequest, timeoutMs: number): Promise<Dispatcher.ResponseData> {
    const url = new URL(this.server + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    // Exec plugins and expiring tokens are renewed by the library on each call.
    const security = new RequestContext(url.href, request.method as HttpMethod);
    try {
      await this.#config.applySecurityAuthentication(security);
      const dispatcher = this.#pool(security.getDispatcher() as Dispatcher | undefined);
      const timeout = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined;
      const signals = [request.signal, timeout].filter((signal) => signal !== undefined);
      const response = httpRequest(url, {
        method: request.method,
        headers: {
          accept: "application/json",
          ...(request.body === undefined ? {} : { "content-type": contentType(request) }),
          ...security.getHeaders(),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(dispatcher === undefined ? {} : { dispatcher }),
        ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return await unlessAborted(response, signals);
    } catch (error) {
      throw this.#failure(request, error);
    }
  }

  /** The rest of an answer: the connection may be cut, or the time be over, while it comes. */
  async #read(request: ApiRequest, response: Dispatcher.ResponseData): Promise<string> {
    try {
      return await response.body.text();
    } catch (error) {
      throw this.#failure(request, error);
    }
  }

  /** At most so much of an answer; the rest is not waited for. */
  async #beginning(request: ApiRequest, response: Dispatcher.ResponseData, maxBytes: number) {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body) {
        const bytes = chunk as Buffer;
        size += bytes.length;
        chunks.push(size > maxBytes ? bytes.subarray(0, bytes.length - (size - maxBytes)) : bytes);
        // Leaving the loop ends the answer.
        if (size > maxBytes) break;
      }
    } catch (error) {
      throw this.#failure(request, error);
    }
    const body = Buffer.concat(chunks).toString("utf8");
    return size > maxBytes ? { body, truncated: true } : { body };
  }

  #failure(request: ApiRequest, error: unknown): UserError {
    if (request.signal?.aborted) return interrupted("A request to the API server");
    if (request.path.includes("/proxy/") && error instanceof Error && error.name === "TimeoutError") {
      return new UserError({
        code: "pod-silent",
        message: `${request.path.split("/proxy/")[0]?.split("/").slice(-2).join("/")} did not answer through the API server in time.`,
        hint: "`modelswitch status` shows what is wrong with it.",
        cause: error,
      });
    }
    return new UserError({
      code: "cluster-unreachable",
      message: `The Kubernetes API server at ${this.server} cannot be reached: ${rootMessage(error)}`,
      hint: "Check that the cluster runs and that the context is the right one (--context, --kubeconfig); `modelswitch doctor` looks at each prerequisite.",
      cause: error,
    });
  }

  /** The library makes a new agent for each call; one is kept so that connections are reused, and renewed for rotated client certificates. */
  #pool(fresh: Dispatcher | undefined): Dispatcher | undefined {
    const maxAgeMs = 300_000;
    if (this.#dispatcher === undefined || Date.now() - this.#dispatcher.madeAt > maxAgeMs) {
      this.#dispatcher = { value: fresh, madeAt: Date.now() };
    }
    return this.#dispatcher.value;
  }
}

/** While a connection is being made undici notes an abort, and rejects only when the connection stands or has failed. */
async function unlessAborted<T>(work: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  const stop = AbortSignal.any([...signals]);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(stop.reason);
    if (stop.aborted) onAbort();
    else stop.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop.removeEventListener("abort", onAbort);
    // Whichever comes later has nobody left to hear it.
    work.catch(() => {});
    aborted.catch(() => {});
  }
}

function contentType(request: ApiRequest): string {
  if (request.contentType !== undefined) return request.contentType;
  return request.method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
}

function rootMessage(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (!(current instanceof Error)) return String(current);
  return current.message || ("code" in current ? String(current.code) : current.name);
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
