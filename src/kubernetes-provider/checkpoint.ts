import { annotations } from "./annotations.ts";
import { text, without } from "./objects.ts";
import { hasSecret, isList, isMap, type PropertyMap, type PropertyValue, reveal, Secret } from "./struct.ts";

/** What the state holds of a resource: the inputs of its last write, and what the cluster answered. */
export interface Checkpoint {
  readonly inputs: PropertyMap;
  readonly live: PropertyMap;
  readonly initialApiVersion: string;
  readonly fieldManager: string;
}

const { lastApplied } = annotations;

const inputsKey = "__inputs";
const initialApiVersionKey = "__initialApiVersion";
const fieldManagerKey = "__fieldManager";

/** Fields of CRD schemas whose names are no identifiers have other names in the SDKs, and so in the state. */
const spelledInState: ReadonlyMap<string, string> = new Map(
  [
    ...["embedded-resource", "int-or-string", "list-map-keys", "list-type", "map-type"],
    ...["preserve-unknown-fields", "validations"],
  ].map((name) => [`x-kubernetes-${name}`, `x_kubernetes_${name.replaceAll("-", "_")}`]),
);
const spelledInCluster: ReadonlyMap<string, string> = new Map(
  [...spelledInState].map(([cluster, state]) => [state, cluster]),
);

export function parseCheckpoint(state: PropertyMap): Checkpoint {
  const { [inputsKey]: inputs, ...live } = toClusterSpelling(reveal(state));
  return {
    inputs: isMap(inputs) ? inputs : {},
    live,
    initialApiVersion: text(state, initialApiVersionKey),
    fieldManager: text(state, fieldManagerKey),
  };
}

/** Inputs as the API server takes them: no secret marks, its own spelling. */
export function toObject(inputs: PropertyMap): PropertyMap {
  return toClusterSpelling(reveal(inputs));
}

/**
 * The outputs of a resource: the live object, and beside it what the provider needs next time. Whatever was
 * secret in `secretsFrom`, and all data of Secrets, is secret in them.
 */
export function checkpointOf(checkpoint: Checkpoint, secretsFrom: PropertyMap): PropertyMap {
  const {
    [inputsKey]: _inputs,
    [initialApiVersionKey]: _version,
    [fieldManagerKey]: _manager,
    ...object
  } = checkpoint.live;
  // Left by `kubectl apply`: a copy of the whole object in one text, with what is secret in it.
  const holdsSecrets = text(object, "kind") === "Secret" || hasSecret(secretsFrom);
  const shown = holdsSecrets ? without(object, ["metadata", "annotations", lastApplied]) : object;
  return {
    ...markSecrets(toStateSpelling(shown), secretsFrom),
    [inputsKey]: markSecrets(toStateSpelling(checkpoint.inputs), secretsFrom),
    [initialApiVersionKey]: checkpoint.initialApiVersion,
    [fieldManagerKey]: checkpoint.fieldManager,
  };
}

/**
 * Marks as secret what is secret in `from`. Inside lists the whole list is marked, since the order of a
 * list in the cluster may be another one.
 */
export function markSecrets(target: PropertyMap, from: PropertyMap): PropertyMap {
  const result = { ...target };
  if (target.kind === "Secret") {
    for (const key of ["data", "stringData"]) {
      const value = result[key];
      if (value !== undefined && !(value instanceof Secret)) result[key] = new Secret(value);
    }
    return result;
  }
  for (const [key, source] of Object.entries(from)) {
    const value = result[key];
    if (value === undefined) continue;
    if (isMap(value) && isMap(source)) result[key] = markSecrets(value, source);
    else if (!(value instanceof Secret) && hasSecret(source)) result[key] = new Secret(value);
  }
  return result;
}

const toStateSpelling = (map: PropertyMap): PropertyMap => respell(map, spelledInState);
const toClusterSpelling = (map: PropertyMap): PropertyMap => respell(map, spelledInCluster);

function respell(map: PropertyMap, names: ReadonlyMap<string, string>): PropertyMap {
  const renamed = (value: PropertyValue): PropertyValue => {
    if (isList(value)) return value.map(renamed);
    return isMap(value) ? respell(value, names) : value;
  };
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [names.get(key) ?? key, renamed(value)]),
  );
}
