import type { ObjectNames } from "./names.ts";
import type { ObjectKind } from "./object-kind.ts";

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
  | "release"
  /** What Pulumi's provider needs beside, in whichever command runs it: it waits for what it writes by lists of the whole namespace. */
  | "engine";

/** Which objects of a resource are meant: those of one model by name, or all of the namespace. */
export type NamedObjects =
  | "deployments"
  | "services"
  | "autoscalers"
  /** Both objects of a routing that has two. */
  | "routing"
  /** The one object of a kind that a routing has. */
  | "route"
  | "record"
  | "any"
  /** Those that a router names. */
  | ((names: ObjectNames) => readonly string[]);

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
  /** The only objects that are meant, where they are none of a model's, or of more than its name says. */
  readonly objects?: readonly string[];
}

export const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"] as const;
export type Verb = (typeof verbs)[number];

/** Commands that look at a model. */
export const readers = ["status", "plan", "doctor", "up", "switch", "destroy"] as const;
const writers = ["up", "switch", "destroy"] as const;

/**
 * What keeping Pulumi's state in the cluster takes, in Secrets of these names. Without it the state stays where it is. Whoever may read them may
 * release the model; those who only look get nothing of it.
 */
export function stateRow(objects: readonly string[]): PermissionRow {
  return {
    group: "",
    resource: "secrets",
    names: "any",
    objects,
    verbs: { get: writers, create: ["up"], update: ["up", "switch"], delete: ["destroy"] },
    why: "Pulumi's state and its key, so that any machine can go on with the model",
  };
}

/**
 * The provider lists all objects of a kind in the namespace, whatever their names, and waits for ever where that is refused; watches and events
 * it does without. Source: `pkg/await` of github.com/pulumi/pulumi-kubernetes, 4.25 to 4.34.
 */
const waiting = "Pulumi's Kubernetes provider waits by it for what it writes";

/** What a router needs of a kind that it writes. */
export interface RoutingRight {
  readonly kind: ObjectKind;
  readonly names: Extract<NamedObjects, "routing" | "route" | ((names: ObjectNames) => readonly string[])>;
  /** Whether Pulumi's provider waits for such objects; it lists them then. */
  readonly awaited: boolean;
}

/**
 * What the commands cannot do without, all of it in the model's namespace, for what a router writes. An end-to-end test shows that it is
 * exactly this.
 */
export function requiredRows(routing: readonly RoutingRight[]): readonly PermissionRow[] {
  return [
    ...rowsBefore,
    ...routing.map(
      ({ kind: { group, plural }, names }): PermissionRow => ({
        group,
        resource: plural,
        names,
        verbs: { get: readers, create: ["up"], patch: ["up", "switch"], delete: ["destroy"] },
        why: "the routing: where the traffic goes",
      }),
    ),
    ...rowsBehind,
    ...listRows([
      ["apps", "deployments"],
      ...routing.flatMap(({ kind: { group, plural }, awaited }) =>
        awaited ? [[group, plural] as const] : [],
      ),
      ["", "services"],
      ["policy", "poddisruptionbudgets"],
    ]),
    ...lastRows,
  ];
}

const rowsBefore: readonly PermissionRow[] = [
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
];

const rowsBehind: readonly PermissionRow[] = [
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
    verbs: { list: [...readers, "engine"] },
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
    verbs: { list: [...readers, "engine"] },
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

function listRows(resources: readonly (readonly [group: string, resource: string])[]): PermissionRow[] {
  return resources.map(([group, resource]) => ({
    group,
    resource,
    names: "any",
    verbs: { list: ["engine", "init", "adopt"] },
    why: `${waiting}; finding what runs already`,
  }));
}

const lastRows: readonly PermissionRow[] = [
  {
    group: "",
    resource: "endpoints",
    names: "any",
    verbs: { list: ["engine"] },
    why: waiting,
  },
  { group: "", resource: "persistentvolumeclaims", names: "any", verbs: { list: ["engine"] }, why: waiting },
];
