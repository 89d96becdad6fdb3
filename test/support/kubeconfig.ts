/** The contents of a kubeconfig of a cluster at that address, without credentials; further contexts by their names. */
export function kubeconfigOf(server: string, others: Readonly<Record<string, string>> = {}): string {
  const servers = Object.entries({ c: server, ...others });
  return JSON.stringify({
    "current-context": "c",
    clusters: servers.map(([name, address]) => ({ name, cluster: { server: address } })),
    contexts: servers.map(([name]) => ({ name, context: { cluster: name, user: "u" } })),
    users: [{ name: "u", user: {} }],
  });
}
