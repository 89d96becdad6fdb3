/** Where the API server hands a request on to a pod, whatever network is between. */
export function podProxyPath(namespace: string, pod: string, port: number, path: string): string {
  return `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`;
}
