/** Commands that ask the API server for anything. */
export type PermittedCommand =
  | "status"
  | "plan"
  | "doctor"
  | "up"
  | "switch"
  | "destroy"
  | "adopt"
  | "init"
  | "release";

/** Which objects of a resource are meant: those of one model by name, or all of the namespace. */
export type NamedObjects = "deployments" | "services" | "autoscalers" | "routing" | "record" | "any";

/** One line of the Role: a resource, its verbs, and which command needs which verb for what. */
export interface PermissionRow {
  /** API group; empty for the core one. */
  readonly group: string;
  /** With a sub-resource after a slash, for example `pods/proxy`. */
  readonly resource: string;
  /** Kubernetes restricts `create` and `list` by no name: those verbs go for all objects of the namespace. */
  readonly names: NamedObjects;
  readonly verbs: Readonly<Partial<Record<Verb, readonly PermittedCommand[]>>>;
  readonly why: string;
  /** The only object that is meant, where it is none of a model's. */
  readonly object?: string;
}

/** A permission without which every command still does its work. */
export interface OptionalRow extends PermissionRow {
  readonly scope: "namespace" | "cluster";
  /** What is missing without it. */
  readonly without: string;
}

export const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"] as const;
export type Verb = (typeof verbs)[number];

const readers = ["status", "plan", "doctor", "up", "switch", "destroy"] as const;
const writers = ["up", "switch", "destroy"] as const;

/** What the commands cannot do without, all of it in the model's namespace. An end-to-end test shows that it is exactly this. */
export const requiredRows: readonly PermissionRow[] = [
  {
    group: "",
    resource: "configmaps",
    names: "record",
    verbs: { get: readers, create: ["up"], update: ["up", "switch"], delete: ["destroy"] },
    why: "the rollout record: what each slot runs, which settings are applied, the history of switches",
  },
  {
    group: "coordination.k8s.io",
    resource: "leases",
    names: "record",
    verbs: { get: writers, create: writers, update: writers, delete: writers },
    why: "the lock: one command at a time changes the model; it is renewed while the command works",
  },
  {
    group: "networking.k8s.io",
    resource: "ingresses",
    names: "routing",
    verbs: { get: readers, create: ["up"], patch: ["up", "switch"], delete: ["destroy"] },
    why: "the routing: where the traffic goes",
  },
  {
    group: "apps",
    resource: "deployments",
    names: "deployments",
    verbs: { get: readers, create: ["up"], patch: ["up"], delete: ["destroy"] },
    why: "the pods of each slot",
  },
  {
    group: "",
    resource: "services",
    names: "services",
    verbs: { get: readers, create: ["up"], patch: ["up"], delete: ["destroy"] },
    why: "the Service of each slot, whose selector says which pods are the slot's",
  },
  {
    group: "policy",
    resource: "poddisruptionbudgets",
    names: "deployments",
    verbs: { get: ["up"], create: ["up"], patch: ["up"], delete: ["up", "destroy"] },
    why: "how many replicas of a slot a node drain may take at a time",
  },
  {
    group: "apps",
    resource: "replicasets",
    names: "any",
    verbs: { list: readers },
    why: "which pods are of the present revision of a Deployment, and whether the cluster refuses them",
  },
  {
    group: "discovery.k8s.io",
    resource: "endpointslices",
    names: "any",
    verbs: { list: readers },
    why: "which replicas of a slot are ready endpoints",
  },
  {
    group: "",
    resource: "pods",
    names: "any",
    verbs: { list: readers },
    why: "which pods a slot has, and why one is not ready",
  },
  {
    group: "",
    resource: "pods/proxy",
    names: "any",
    verbs: { get: ["up", "switch"] },
    why: "asking each replica who it is, so that answers at the ingress can be told apart",
  },
];

/** What makes the commands quicker or their messages better. */
export const optionalRows: readonly OptionalRow[] = [
  ...(
    [
      ["apps", "deployments", "deployments"],
      ["", "services", "services"],
      ["networking.k8s.io", "ingresses", "routing"],
      ["policy", "poddisruptionbudgets", "deployments"],
      ["autoscaling", "horizontalpodautoscalers", "autoscalers"],
      ["", "pods", "any"],
      ["discovery.k8s.io", "endpointslices", "any"],
    ] as const
  ).map(
    ([group, resource, names]): OptionalRow => ({
      group,
      resource,
      names,
      verbs: { watch: ["up", "switch", "destroy"] },
      why: "seeing a change at once",
      without: "changes are noticed within a second",
      scope: "namespace",
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
    group: "",
    resource: "events",
    names: "any",
    verbs: { list: ["status", "up", "switch"] },
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
  ...(
    [
      ["networking.k8s.io", "ingresses"],
      ["", "services"],
      ["apps", "deployments"],
      ["autoscaling", "horizontalpodautoscalers"],
    ] as const
  ).map(
    ([group, resource]): OptionalRow => ({
      group,
      resource,
      names: "any",
      verbs: { list: ["init", "adopt"] },
      why: "finding what runs already: `init`, `init --from` and `adopt`",
      without: "`init` asks; `init --from` and `adopt` are refused",
      scope: "namespace",
    }),
  ),
  ...(
    [
      ["policy", "poddisruptionbudgets"],
      ["networking.k8s.io", "networkpolicies"],
    ] as const
  ).map(
    ([group, resource]): OptionalRow => ({
      group,
      resource,
      names: "any",
      verbs: { list: ["init", "adopt"] },
      why: "what guards the pods that run: green's pods have to be guarded, too",
      without: "`init --from` and `adopt` say nothing of PodDisruptionBudgets and NetworkPolicies",
      scope: "namespace",
    }),
  ),
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
    object: "cluster-autoscaler-status",
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
  {
    group: "networking.k8s.io",
    resource: "ingresses",
    names: "any",
    verbs: { list: ["doctor", "plan", "up", "adopt", "init"] },
    why: "whether another Ingress has the host and path already",
    without: "only the Ingresses of the model's own namespace are looked at, where those may be listed",
    scope: "cluster",
  },
  {
    group: "networking.k8s.io",
    resource: "ingressclasses",
    names: "any",
    verbs: { get: ["up", "switch"], list: ["doctor", "up"] },
    why: "where the ingress controller of a local cluster listens; `doctor` checks that the class exists",
    without:
      "the address in the Ingress's status, or `ingress.endpoints`, is used; `doctor` skips that check",
    scope: "cluster",
  },
  {
    group: "",
    resource: "namespaces",
    names: "any",
    // In a Role this goes for the Role's own namespace only.
    verbs: { get: readers },
    why: "telling a namespace that does not exist from one that is empty",
    without: "a namespace that does not exist shows as a missing permission",
    scope: "namespace",
  },
];
