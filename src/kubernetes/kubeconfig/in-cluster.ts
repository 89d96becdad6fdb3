import { isIPv6 } from "node:net";
import type { ReadFile } from "./load.ts";

type Env = Readonly<Record<string, string | undefined>>;

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A kubeconfig of the service account of the pod that we run in; `undefined` outside a pod. */
export function inCluster(env: Env, readFile: ReadFile): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port || readFile(`${folder}/token`) === undefined) return undefined;
  const own = readFile(`${folder}/namespace`);
  const namespace = env.POD_NAMESPACE || (own === undefined ? "" : new TextDecoder().decode(own).trim());
  const authority =
    readFile(`${folder}/ca.crt`) === undefined ? {} : { "certificate-authority": `${folder}/ca.crt` };
  const name = "in-cluster";
  return JSON.stringify({
    clusters: [
      { name, cluster: { server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`, ...authority } },
    ],
    users: [{ name, user: { tokenFile: `${folder}/token` } }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace === "" ? {} : { namespace }) } }],
    "current-context": name,
  });
}
