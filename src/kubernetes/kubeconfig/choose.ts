import type { Entry, Fields, Kubeconfig } from "./parse.ts";

/** One cluster of a kubeconfig, and how to get into it. */
export interface ChosenCluster {
  /** Name of the context. */
  readonly context: string;
  /** Of the context; `undefined` where it has none. */
  readonly namespace: string | undefined;
  readonly clusterName: string;
  readonly cluster: Fields;
  readonly userName: string;
  readonly user: Fields;
}

export type Choice =
  | { readonly kind: "chosen"; readonly chosen: ChosenCluster }
  /** No context is named and none is current. */
  | { readonly kind: "none" }
  | { readonly kind: "context-unknown"; readonly context: string; readonly known: readonly string[] }
  | { readonly kind: "unusable"; readonly reason: string };

/** The cluster that a context means; the kubeconfig's current one where none is named. */
export function chooseCluster(
  config: Kubeconfig,
  wish: { readonly context?: string | undefined; readonly cluster?: string | undefined },
): Choice {
  const name = wish.context || config.currentContext;
  const context = config.contexts.get(name);
  if (context === undefined) {
    if (name === "") return { kind: "none" };
    return { kind: "context-unknown", context: name, known: [...config.contexts.keys()] };
  }
  const clusterName = wish.cluster ?? textOf(context.fields, "cluster");
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined) {
    const reason =
      clusterName === ""
        ? `the context "${name}" names no cluster`
        : `the context "${name}" names the cluster "${clusterName}", which is not in it`;
    return { kind: "unusable", reason };
  }
  if (textOf(cluster.fields, "server") === "") {
    return {
      kind: "unusable",
      reason: `the cluster "${clusterName}" of the context "${name}" has no server`,
    };
  }
  const userName = textOf(context.fields, "user");
  const user = config.users.get(userName);
  return {
    kind: "chosen",
    chosen: {
      context: name,
      namespace: textOf(context.fields, "namespace") || undefined,
      clusterName,
      cluster: cluster.fields,
      userName,
      user: user?.fields ?? {},
    },
  };
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

/** A kubeconfig with this cluster alone, as `kubectl config view --minify`: whoever reads it can mean no other. */
export function minified(chosen: ChosenCluster): string {
  return document(
    {
      clusters: new Map([[chosen.clusterName, { name: chosen.clusterName, fields: chosen.cluster }]]),
      users: new Map(
        chosen.userName === "" ? [] : [[chosen.userName, { name: chosen.userName, fields: chosen.user }]],
      ),
      contexts: new Map([
        [
          chosen.context,
          {
            name: chosen.context,
            fields: {
              cluster: chosen.clusterName,
              ...(chosen.userName === "" ? {} : { user: chosen.userName }),
              ...(chosen.namespace === undefined ? {} : { namespace: chosen.namespace }),
            },
          },
        ],
      ]),
      currentContext: chosen.context,
    },
    chosen.context,
  );
}

/** The whole kubeconfig with the chosen context as the current one, for programs that choose further contexts themselves. */
export function whole(config: Kubeconfig, { context, clusterName }: ChosenCluster): string {
  const own = config.contexts.get(context);
  const contexts = new Map(config.contexts);
  if (own !== undefined) contexts.set(context, { ...own, fields: { ...own.fields, cluster: clusterName } });
  return document({ ...config, contexts }, context);
}

function document(config: Kubeconfig, currentContext: string): string {
  const list = (entries: ReadonlyMap<string, Entry>, key: string) =>
    [...entries.values()].map(({ name, fields }) => ({ name, [key]: fields }));
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: list(config.clusters, "cluster"),
    users: list(config.users, "user"),
    contexts: list(config.contexts, "context"),
    "current-context": currentContext,
  });
}
