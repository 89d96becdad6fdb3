/** One request to the API server. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute path without query, for example `/api/v1/namespaces/ml/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** @default application/json, and for PATCH application/apply-patch+yaml (JSON is valid YAML) */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** @default 30 000 */
  readonly timeoutMs?: number;
  /** What is read of the answer: for what pods answer through the API server, which may have no end. @default all of it */
  readonly maxBytes?: number;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** More came than `maxBytes`: the body is its beginning. @default false */
  readonly truncated?: boolean;
}

/** What is read of an answer of a pod, bytes: more than any identity, metadata or metrics should have. */
export const largestPodAnswer = 4_000_000;

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubernetesObject;
}

/** Any object: callers narrow what they read. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly uid: string;
      readonly kind: string;
      readonly name: string;
    }[];
    readonly managedFields?: readonly unknown[];
  };
  readonly [field: string]: unknown;
}

/**
 * The Kubernetes API over HTTP, as narrow as modelswitch needs it; passed in everywhere so that tests
 * can replace it. `connect()` makes the real one.
 */
export interface KubernetesApi {
  /** URL of the API server, for messages. */
  readonly server: string;
  /** Sends one request; resolves for every HTTP status. Rejects with `cluster-unreachable` when no answer came. */
  request(request: ApiRequest): Promise<ApiResponse>;
  /** Sends one request and parses the JSON answer. Rejects with `KubernetesApiError` for a status of 400 or more. */
  json<T>(request: ApiRequest): Promise<T>;
  /** Like `json` with GET, but `undefined` for 404. */
  find<T = KubernetesObject>(
    path: string,
    options?: Omit<ApiRequest, "method" | "path">,
  ): Promise<T | undefined>;
  /** Streams watch events until the server closes the stream or the signal aborts. */
  watch(
    path: string,
    options: { query?: ApiRequest["query"]; signal: AbortSignal },
  ): AsyncIterable<WatchEvent>;
}

/** Answers that come piece by piece, such as logs that are followed. `connect()` makes the real one. */
export interface LineStream {
  /**
   * The lines of one answer as they come, until the server ends it or the signal aborts. Throws `KubernetesApiError` for a status of
   * 400 or more.
   */
  lines(
    path: string,
    options: { readonly query?: ApiRequest["query"]; readonly signal: AbortSignal },
  ): AsyncIterable<string>;
}

/** An answer of the API server with a status of 400 or more. */
export class KubernetesApiError extends Error {
  override readonly name = "KubernetesApiError";
  readonly status: number;
  /** Machine-readable reason of the `Status` object, for example `NotFound`, `Conflict`, `Invalid`. */
  readonly reason: string;
  /** `details.causes` of the `Status` object: one entry per offending field. */
  readonly causes: readonly {
    readonly field?: string;
    readonly message?: string;
    readonly reason?: string;
  }[];

  constructor(status: number, reason: string, message: string, causes: KubernetesApiError["causes"] = []) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }
}

/** Whether the API server does not let this account look. Others find out by what is missing then. */
export function mayNotLook(error: unknown): error is KubernetesApiError {
  return error instanceof KubernetesApiError && [401, 403].includes(error.status);
}

/** The error for an answer with a status of 400 or more, read from its `Status` object. */
export function responseError(request: ApiRequest, response: ApiResponse): KubernetesApiError {
  let status: { reason?: string; message?: string; details?: { causes?: KubernetesApiError["causes"] } } = {};
  try {
    status = JSON.parse(response.body) as typeof status;
  } catch {
    // Proxies in front of an API server answer in HTML or plain text: the body itself is the message.
  }
  return new KubernetesApiError(
    response.status,
    status.reason ?? "Unknown",
    status.message ??
      `${request.method} ${request.path}: HTTP ${response.status} ${response.body.slice(0, 300)}`,
    status.details?.causes ?? [],
  );
}
