import { annotation, at, text } from "./objects.ts";
import { isList, isMap, type PropertyMap, type PropertyValue } from "./struct.ts";
import { gvkOf } from "./tokens.ts";

/** Keys and positions of a property, from the object's root. */
export type PropertyPath = readonly (string | number)[];

export interface MutabilitySettings {
  readonly configMapMutable: boolean;
  readonly secretMutable: boolean;
}

const identity = ["metadata.name", "metadata.namespace"];

/** Fields of a pod that can only be changed by making a new one. */
const podFields = [
  ...["affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks"],
  ...["hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName"],
  ...["nodeSelector", "overhead", "preemptionPolicy", "priority", "priorityClassName", "readinessGates"],
  ...["restartPolicy", "runtimeClassName", "schedulerName", "securityContext", "serviceAccount"],
  ...["serviceAccountName", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "volumes"],
].map((field) => `spec.${field}`);

const containerFields = [
  ...["args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports"],
  ...["readinessProbe", "resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath"],
  ...["terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir"],
].flatMap((field) => [`spec.containers[*].${field}`, `spec.initContainers[*].${field}`]);

const persistentVolumeSources = [
  ...["awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume"],
  ...[
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
  ],
  ...["portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"],
].map((field) => `spec.${field}`);

/** Immutable fields per kind, by `GROUP/KIND`. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  "/PersistentVolume": persistentVolumeSources,
  "/PersistentVolumeClaim": ["accessModes", "selector", "storageClassName", "volumeName"].map(
    (f) => `spec.${f}`,
  ),
  "/Pod": [...podFields, ...containerFields],
  "/ResourceQuota": ["spec.scopes"],
  "/Service": ["spec.clusterIP"],
  "apps/DaemonSet": ["spec.selector"],
  "apps/Deployment": ["spec.selector"],
  "apps/StatefulSet": [
    ...["podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates"].map(
      (field) => `spec.${field}`,
    ),
  ],
  "batch/Job": ["completions", "parallelism", "selector", "template"].map((field) => `spec.${field}`),
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner"],
};

/**
 * Patterns of the properties of this object that can't be changed in place. `before` is the object as it is: one that
 * was made immutable stays so, whatever is declared now.
 */
export function forceNewProperties(
  object: PropertyMap,
  settings: MutabilitySettings,
  before: PropertyMap = {},
): readonly string[] {
  const { group, kind } = gvkOf(text(object, "apiVersion"), text(object, "kind"));
  const wasImmutable = at(before, "immutable") === true;
  const isImmutable = at(object, "immutable") === true || wasImmutable;
  if (group === "" && (kind === "Secret" || kind === "ConfigMap")) {
    const isSecret = kind === "Secret";
    const mutable = (isSecret ? settings.secretMutable : settings.configMapMutable) && !isImmutable;
    const data = isSecret ? ["stringData", "data"] : ["binaryData", "data"];
    return [
      ...identity,
      ...(isSecret ? ["type"] : []),
      ...(mutable ? [] : data),
      ...(wasImmutable ? ["immutable"] : []),
    ];
  }
  return [...identity, ...(immutable[`${group}/${kind}`] ?? [])];
}

/** Whether a change of `value` at `path` changes a property that the pattern names, a part of it, or a whole that has it. */
export function touches(path: PropertyPath, value: PropertyValue | undefined, pattern: string): boolean {
  const parts = pattern.replaceAll("[*]", ".*").split(".");
  for (const [index, part] of parts.entries()) {
    const step = path[index];
    if (step === undefined) return holds(value, parts.slice(index));
    if (part === "*" ? typeof step !== "number" : step !== part) return false;
  }
  return true;
}

function holds(value: PropertyValue | undefined, parts: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return true;
  if (part === "*") return isList(value) && value.some((element) => holds(element, rest));
  return isMap(value) && Object.hasOwn(value, part) && holds(value[part], rest);
}

/** Whether the object's name was made up by the provider, so that a replacement can have another one. */
export function isAutonamed(object: PropertyMap): boolean {
  return annotation(object, "pulumi.com/autonamed") === "true";
}
