import { type KubernetesApi, type KubernetesObject, UserError } from "../../../../src/support.ts";
import { nodeName } from "./cluster-state.ts";

interface Node extends KubernetesObject {
  readonly spec?: { readonly taints?: readonly { readonly key: string }[] };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}

/** Each answers `true`, or says what is still missing. */
type Readiness = Promise<true | string>;

export async function apiReady(api: KubernetesApi, signal: AbortSignal): Readiness {
  return whenReachable(async () => {
    const answer = await api.request({ method: "GET", path: "/readyz", signal, timeoutMs: 5_000 });
    return answer.status === 200 ? true : missingChecks(answer.body);
  });
}

/** The API server answers with a line per check: `[+]ping ok`, `[-]poststarthook/rbac/bootstrap-roles failed: …`. */
export function missingChecks(body: string): string {
  const missing = body.split("\n").flatMap((line) => /^\[-\](\S+)/.exec(line)?.[1] ?? []);
  return missing.length === 0 ? "it is starting" : `it is starting: ${missing.slice(0, 3).join(", ")}`;
}

export async function nodeReady(api: KubernetesApi, cluster: string, signal: AbortSignal): Readiness {
  return whenReachable(async () => {
    const node = await api.find<Node>(`/api/v1/nodes/${nodeName(cluster)}`, { signal });
    return node === undefined ? "it has not registered yet" : describeNode(node);
  });
}

/** Ready, and without the taints that a node has until the controllers have seen it. */
export function describeNode(node: Node): true | string {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True") return ready?.message ?? "it has not reported yet";
  const taint = node.spec?.taints?.find(({ key }) => key.startsWith("node.kubernetes.io/"));
  return taint === undefined ? true : `it still has the taint ${taint.key}`;
}

/** Pods are refused until their namespace has its service account. */
export async function podsCanBeMade(api: KubernetesApi, signal: AbortSignal): Readiness {
  return whenReachable(async () => {
    const account = await api.find("/api/v1/namespaces/default/serviceaccounts/default", { signal });
    return account === undefined ? "the default service account is missing" : true;
  });
}

async function whenReachable(ask: () => Readiness): Readiness {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UserError && error.code === "cluster-unreachable") return "it does not answer yet";
    throw error;
  }
}
