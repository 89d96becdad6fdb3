import { type PermissionRow, type RoutingRight, readers } from "./permissions.ts";

/** A permission without which every command still does its work. */
export interface OptionalRow extends PermissionRow {
  readonly scope: "namespace" | "cluster";
  /** What is missing without it. */
  readonly without: string;
}

/** What a router writes, and what it looks at beside: permissions follow from both. */
export interface RoutingNeeds {
  readonly rights: readonly RoutingRight[];
  /** What the router's own questions take. */
  readonly reads: readonly OptionalRow[];
}

/** What makes the commands quicker or their messages better, and what only some models need. */
export function optionalRows({ rights, reads }: RoutingNeeds): readonly OptionalRow[] {
  const awaited = rights.filter((right) => right.awaited).map(({ kind }) => kind);
  return [
    ...watchRows([
      ["apps", "deployments"],
      ["apps", "replicasets"],
      ["", "services"],
      ...awaited.map(({ group, plural }) => [group, plural] as const),
      ["policy", "poddisruptionbudgets"],
      ["autoscaling", "horizontalpodautoscalers"],
      ["", "pods"],
      ["", "endpoints"],
      ["discovery.k8s.io", "endpointslices"],
    ]),
    ...commonRows,
    ...rights.slice(0, 1).map(({ kind: { group, plural, kind } }) => othersRow(group, plural, kind)),
    ...reads,
    namespaceRow,
  ];
}

function watchRows(resources: readonly (readonly [group: string, resource: string])[]): OptionalRow[] {
  return resources.map(([group, resource]) => ({
    group,
    resource,
    names: "any",
    verbs: { watch: ["up", "switch", "destroy"] },
    why: "seeing a change at once",
    without: "changes are noticed within a second, by Pulumi's provider within a minute",
    scope: "namespace",
  }));
}

function othersRow(group: string, resource: string, kind: string): OptionalRow {
  return {
    group,
    resource,
    names: "any",
    verbs: { list: ["doctor", "plan", "up", "adopt", "init"] },
    why: `whether another ${kind} has the host and path already`,
    without: `only the ${kindsOf(kind)} of the model's own namespace are looked at, where those may be listed`,
    scope: "cluster",
  };
}

/** `Ingress` and `HTTPProxy` in the plural. */
function kindsOf(kind: string): string {
  if (kind.endsWith("y")) return `${kind.slice(0, -1)}ies`;
  return kind.endsWith("s") ? `${kind}es` : `${kind}s`;
}

const commonRows: readonly OptionalRow[] = [
  ...(
    [
      ["gateway.networking.k8s.io", "gatewayclasses"],
      ["gateway.networking.k8s.io", "gateways"],
      // Where the cluster has its kinds.
      ["networking.istio.io", "gateways"],
    ] as const
  ).map(
    ([group, resource]): OptionalRow => ({
      group,
      resource,
      names: "any",
      verbs: { list: ["doctor", "init"] },
      why: "which router fits what takes requests in the cluster",
      without: "Gateways are not proposed",
      scope: "cluster",
    }),
  ),
  {
    group: "autoscaling",
    resource: "horizontalpodautoscalers",
    names: "autoscalers",
    verbs: { get: ["up", "switch"], create: ["up"], patch: ["up", "switch"], delete: ["up", "destroy"] },
    why: "slots that an autoscaler sizes",
    without: "`autoscaling` cannot be used",
    scope: "namespace",
  },
  {
    group: "autoscaling",
    resource: "horizontalpodautoscalers",
    names: "any",
    verbs: { list: ["engine", "init", "adopt"] },
    why: "slots that an autoscaler sizes: Pulumi's provider waits by it; finding what runs already: `init`, `init --from` and `adopt`",
    without: "`autoscaling` cannot be used; `init` asks; `init --from` and `adopt` are refused",
    scope: "namespace",
  },
  {
    group: "",
    resource: "events",
    names: "any",
    verbs: { list: ["status", "up", "switch"], watch: ["up", "switch"] },
    why: "the last events of a pod that does not become ready",
    without: "errors name the state of the pod only",
    scope: "namespace",
  },
  {
    group: "",
    resource: "pods/log",
    names: "any",
    verbs: { get: ["status", "up", "switch"] },
    why: "`logs`, and the last log lines of a pod that does not become ready",
    without: "`logs` is refused, and errors name the state of the pod only",
    scope: "namespace",
  },
  {
    group: "networking.k8s.io",
    resource: "networkpolicies",
    names: "any",
    verbs: { list: ["init", "adopt"] },
    why: "what guards the pods that run: green's pods have to be guarded, too",
    without: "`init --from` and `adopt` say nothing of NetworkPolicies",
    scope: "namespace",
  },
  {
    group: "",
    resource: "pods/proxy",
    names: "any",
    verbs: { create: ["release"] },
    why: "warming up each replica with a POST request",
    without: "`rollout.warmUp` with a body cannot be used",
    scope: "namespace",
  },
  ...(["nodes", "pods"] as const).map(
    (resource): OptionalRow => ({
      group: "",
      resource,
      names: "any",
      verbs: { list: ["plan", "release"] },
      why: "whether the nodes have room for a release beside what runs",
      without: "releases begin although their pods may find no room, with a warning",
      scope: "cluster",
    }),
  ),
  {
    group: "",
    resource: "configmaps",
    names: "any",
    objects: ["cluster-autoscaler-status"],
    verbs: { get: ["plan", "release"] },
    why: "whether the Cluster Autoscaler may add nodes",
    without: "a release that has no room yet is refused, unless `rollout.capacity` says otherwise",
    scope: "cluster",
  },
  {
    group: "node.k8s.io",
    resource: "runtimeclasses",
    names: "any",
    verbs: { get: ["plan", "release"] },
    why: "what the class of a pod's runtime needs for itself",
    without: "its overhead is not counted",
    scope: "cluster",
  },
  ...(["resourcequotas", "limitranges"] as const).map(
    (resource): OptionalRow => ({
      group: "",
      resource,
      names: "any",
      verbs: { list: ["plan", "up", "release"] },
      why: "whether the namespace lets new pods in",
      without: "pods that it does not let in are waited for until `deadlines.ready`",
      scope: "namespace",
    }),
  ),
  {
    group: "scheduling.k8s.io",
    resource: "priorityclasses",
    names: "any",
    verbs: { list: ["plan", "up", "release"] },
    why: "which quotas by priority count pods that name no class",
    without: "those of the cluster's default class are not looked at",
    scope: "cluster",
  },
  {
    group: "",
    resource: "pods",
    names: "any",
    // Not of those who only read, though `plan` asks, too: whoever may make pods may run anything.
    verbs: { create: ["up", "release"] },
    why: "asking the API server whether it would take a pod; none is ever made",
    without: "of rules for pods only quotas, limits and the warnings of pod security are known beforehand",
    scope: "namespace",
  },
];

const namespaceRow: OptionalRow = {
  group: "",
  resource: "namespaces",
  names: "any",
  // In a Role this goes for the Role's own namespace only.
  verbs: { get: readers },
  why: "telling a namespace that does not exist from one that is empty",
  without: "a namespace that does not exist shows as a missing permission",
  scope: "namespace",
};

/** What reading the metrics of the ingress controller's pods takes, in the controller's namespace: a Role of its own. */
export const metricsRows: readonly PermissionRow[] = [
  {
    group: "",
    resource: "pods",
    names: "any",
    verbs: { list: ["plan", "release"] },
    why: "finding the ingress controller's pods, to read what they count of clients' requests",
  },
  {
    group: "",
    resource: "pods/proxy",
    names: "any",
    verbs: { get: ["plan", "release"] },
    why: "reading the metrics of the ingress controller's pods",
  },
];
