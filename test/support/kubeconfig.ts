/** The contents of a kubeconfig of a cluster at that address, without credentials. */
export function kubeconfigOf(server: string): string {
  return JSON.stringify({
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: {} }],
  });
}
