import { at, deepEqual, mapAt, text, without, withValue } from "./objects.ts";
import { canonicalQuantity } from "./quantity.ts";
import { hasUnknown, isList, isMap, type PropertyMap, type PropertyValue } from "./struct.ts";
import { gvkOf, isBuiltIn } from "./tokens.ts";

/** Metadata that only the API server writes. */
const readOnlyMetadata = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
] as const;

/** Maps whose values are quantities, and fields that are one. */
const quantityMaps: ReadonlySet<string> = new Set([
  ...["limits", "requests", "capacity", "hard", "overhead", "podFixed"],
  // Of a LimitRange.
  ...["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"],
]);
const quantityFields: ReadonlySet<string> = new Set(["sizeLimit", "divisor", "averageValue"]);

/**
 * Fields that the API server doesn't give back when they hold nothing: it would look as if somebody had removed them.
 * Only fields where "nothing" and "absent" mean the same; `storageClassName: ""` and `podSelector: {}` don't.
 */
const omittedWhenEmpty: ReadonlySet<string> = new Set([
  ...["labels", "annotations", "matchLabels", "matchExpressions", "nodeSelector", "limits", "requests"],
  ...["env", "envFrom", "args", "command", "ports", "volumes", "volumeMounts", "tolerations", "hostAliases"],
  ...["imagePullSecrets", "initContainers", "finalizers", "ownerReferences", "externalIPs", "tls", "rules"],
  ...["loadBalancerSourceRanges", "topologySpreadConstraints", "subjects", "items", "resourceNames"],
  ...["hostNetwork", "hostPID", "hostIPC", "readOnly", "stdin", "stdinOnce", "tty", "paused"],
  ...["publishNotReadyAddresses", "minReadySeconds", "initialDelaySeconds", "hostPort", "nodePort"],
  ...["hostIP", "subPath", "subPathExpr", "hostname", "subdomain", "nodeName", "serviceAccountName"],
  ...["priorityClassName", "loadBalancerIP", "externalName", "workingDir", "generateName", "namespace"],
  ...["data", "binaryData", "parameters", "mountOptions", "description", "globalDefault"],
]);

/** Maps with free keys: what is in them belongs to the user, whatever the keys are called. */
const freeMaps: ReadonlySet<string> = new Set([
  ...[
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "data",
    "binaryData",
    "stringData",
    "parameters",
  ],
]);

/**
 * Brings inputs to the form in which the API server gives them back, so that spellings that mean the same
 * don't show as differences. Objects of kinds that Kubernetes doesn't know are only stripped of read-only metadata,
 * and so is anything that is not fully known yet.
 */
export function normalize(inputs: PropertyMap): PropertyMap {
  let object = inputs;
  const known = isBuiltIn(gvkOf(text(object, "apiVersion"), text(object, "kind")));
  if (known && !hasUnknown(object)) {
    if (isSecretKind(object)) object = normalizeMap(normalizeSecret(object), "");
    else if (isDefinition(object)) object = normalizeDefinition(object);
    else object = normalizeMap(object, "");
  }
  return readOnlyMetadata.reduce((result, key) => without(result, ["metadata", key]), object);
}

export function isSecretKind(object: PropertyMap): boolean {
  return text(object, "kind") === "Secret" && text(object, "apiVersion") === "v1";
}

export function isDefinition(object: PropertyMap): boolean {
  return text(object, "kind") === "CustomResourceDefinition";
}

function normalizeDefinition(definition: PropertyMap): PropertyMap {
  const object = without(definition, ["status"]);
  return at(object, "spec", "preserveUnknownFields") === false
    ? without(object, ["spec", "preserveUnknownFields"])
    : object;
}

/** `stringData` becomes `data`, as the API server does it; it never gives `stringData` back. */
function normalizeSecret(secret: PropertyMap): PropertyMap {
  const entries = Object.entries(mapAt(secret, "stringData"));
  const data = Object.fromEntries(
    Object.entries(mapAt(secret, "data")).map(([key, value]) => [key, recoded(value)]),
  );
  if (entries.length === 0) {
    return at(secret, "data") === undefined ? secret : withValue(secret, ["data"], data);
  }
  for (const [key, value] of entries) {
    if (typeof value !== "string") return secret;
    data[key] = Buffer.from(value, "utf8").toString("base64");
  }
  return withValue(without(secret, ["stringData"]), ["data"], data);
}

/** Base64 without the line breaks that some tools put in. Anything invalid is left for the API server to refuse. */
function recoded(value: PropertyValue): PropertyValue {
  if (typeof value !== "string" || !/^[A-Za-z0-9+/=\s]*$/.test(value)) return value;
  return Buffer.from(value, "base64").toString("base64");
}

function normalizeMap(map: PropertyMap, name: string): PropertyMap {
  if (freeMaps.has(name)) return map;
  const result: PropertyMap = {};
  for (const [key, value] of Object.entries(map)) {
    const normal = normalizeValue(value, key, name);
    if (isEmpty(normal) && (omittedWhenEmpty.has(key) || isEmptyEnvironmentValue(key, map))) continue;
    result[key] = normal;
  }
  return result;
}

function normalizeValue(value: PropertyValue, key: string, parent: string): PropertyValue {
  // The target of an autoscaler's metric.
  const isTarget = key === "value" && parent === "target";
  if (quantityFields.has(key) || quantityMaps.has(parent) || isTarget) {
    if (typeof value === "string" || typeof value === "number") return canonicalQuantity(String(value));
  }
  if (isList(value)) return value.map((inner) => normalizeValue(inner, "", key));
  return isMap(value) ? normalizeMap(value, key) : value;
}

function isEmpty(value: PropertyValue): boolean {
  return value === "" || value === false || value === 0 || deepEqual(value, []) || deepEqual(value, {});
}

/** `{ name: X, value: "" }` in a container's environment. */
function isEmptyEnvironmentValue(key: string, map: PropertyMap): boolean {
  return key === "value" && typeof map.name === "string" && Object.keys(map).length === 2;
}
