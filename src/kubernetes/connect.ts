import { accessSync, constants, statSync } from "node:fs";
import { type Dispatcher, request as httpRequest } from "undici";
import { systemClock } from "../core/clock.ts";
import { exitCodes, interrupted, UserError } from "../core/errors.ts";
import {
  type ApiRequest,
  type ApiResponse,
  type KubernetesApi,
  type LineStream,
  responseError,
  type WatchEvent,
} from "./api.ts";
import { ClusterCredentials, type RequestCredentials } from "./credentials.ts";
import { environmentProxy } from "./environment-proxy.ts";
import { type ChosenCluster, textOf } from "./kubeconfig/choose.ts";
import { whyUnusable, withScheme } from "./kubeconfig/usable.ts";
import { chosenCluster, type KubeconfigSource } from "./source.ts";
import { Transport } from "./transport.ts";

export type { KubeconfigSource } from "./source.ts";

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
  const chosen = chosenCluster(source);
  const reason = whyUnusable(chosen, canRead);
  if (reason !== undefined) {
    throw new UserError({
      code: "kubeconfig-invalid",
      message: `The context "${chosen.context}" of the kubeconfig cannot be used: ${reason}.`,
      hint: "Correct the kubeconfig (`kubectl config view --minify` shows it), or choose another context with --context.",
      exitCode: exitCodes.usage,
    });
  }
  return {
    api: new HttpKubernetesApi(chosen),
    context: chosen.context,
    namespace: chosen.namespace ?? "default",
  };
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}

class HttpKubernetesApi implements KubernetesApi, LineStream {
  readonly server: string;
  readonly #credentials: ClusterCredentials;
  readonly #transport: Transport;
  #hadCredentials = false;

  constructor(chosen: ChosenCluster) {
    const address = new URL(withScheme(textOf(chosen.cluster, "server")));
    const proxy = textOf(chosen.cluster, "proxy-url") || environmentProxy(address, process.env);
    // A path in front of the API is kept, as proxies of several clusters have it; a query is not.
    this.server = `${address.origin}${address.pathname}`.replace(/\/+$/, "");
    this.#credentials = new ClusterCredentials(chosen, systemClock);
    this.#transport = new Transport(proxy);
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
    const credentials = await this.#authenticate(request);
    const response = await this.#sendAs(credentials, url, request, timeoutMs);
    if (response.statusCode !== 401 || credentials.refused === undefined) return response;
    // A token may have been revoked before its time: the plug-in gets one chance to give another.
    credentials.refused();
    await response.body.dump();
    return await this.#sendAs(await this.#authenticate(request), url, request, timeoutMs);
  }

  async #authenticate(request: ApiRequest): Promise<RequestCredentials> {
    try {
      const signals = request.signal === undefined ? [] : [request.signal];
      const credentials = await unlessAborted(this.#credentials.forRequest(), signals);
      this.#hadCredentials = true;
      return credentials;
    } catch (error) {
      if (!(error instanceof UserError)) throw this.#failure(request, error);
      if (!this.#hadCredentials || error.code !== "credential-plugin-failed") throw error;
      // It worked when the command began: whoever waits for an API server that is away waits for this, too.
      throw new UserError({
        code: "cluster-unreachable",
        message: `The Kubernetes API server at ${this.server} cannot be asked: ${error.message}`,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      });
    }
  }

  async #sendAs(
    credentials: RequestCredentials,
    url: URL,
    request: ApiRequest,
    timeoutMs: number,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const timeout = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined;
      const signals = [request.signal, timeout].filter((signal) => signal !== undefined);
      const response = httpRequest(url, {
        method: request.method,
        headers: {
          accept: "application/json",
          ...(request.body === undefined ? {} : { "content-type": contentType(request) }),
          ...credentials.headers,
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        dispatcher: this.#transport.dispatcher(credentials.tls),
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
    const { proxyName } = this.#transport;
    const way = proxyName === undefined ? "" : ` through the proxy ${proxyName}`;
    return new UserError({
      code: "cluster-unreachable",
      message: `The Kubernetes API server at ${this.server} cannot be reached${way}: ${rootMessage(error)}`,
      hint: `Check that the cluster runs and that the context is the right one (--context, --kubeconfig)${proxyName === undefined ? "" : ", and that the proxy is (proxy-url of the kubeconfig, else HTTPS_PROXY and NO_PROXY)"}; \`modelswitch doctor\` looks at each prerequisite.`,
      cause: error,
    });
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
