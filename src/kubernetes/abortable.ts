import type { ApiRequest, KubernetesApi } from "./api.ts";

/**
 * The same API, whose reads are given up when the user stops the command while they wait for an answer. Reads that start
 * afterwards are not: what is done to end in order has to look at the cluster too. Writes always come to their end.
 */
export function abortableReads(api: KubernetesApi, signal: AbortSignal): KubernetesApi {
  const withSignal = <R extends Omit<ApiRequest, "method" | "path">>(request: R): R =>
    request.signal !== undefined || signal.aborted ? request : { ...request, signal };
  const stoppable = (request: ApiRequest): ApiRequest =>
    request.method === "GET" ? withSignal(request) : request;
  return {
    server: api.server,
    request: (request) => api.request(stoppable(request)),
    json: (request) => api.json(stoppable(request)),
    find: (path, options = {}) => api.find(path, withSignal(options)),
    watch: (path, options) => api.watch(path, options),
  };
}
