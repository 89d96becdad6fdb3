import { annotations } from "./annotations.ts";
import { readiness } from "./await/ready.ts";
import { checkpointOf, markSecrets, parseCheckpoint, toObject } from "./checkpoint.ts";
import { UnknownKindError } from "./client.ts";
import { InitializationError } from "./errors.ts";
import { normalize } from "./normalize.ts";
import { at, deepEqual, idOf, parseId, prune, text, without, withUnreturned, withValue } from "./objects.ts";
import { fieldManagerOf, type Session } from "./session.ts";
import type { PropertyMap } from "./struct.ts";
import { apiVersionOf, type GroupVersionKind, gvkOf } from "./tokens.ts";

export interface ReadRequest {
  readonly urn: string;
  readonly id: string;
  readonly gvk: GroupVersionKind;
  /** State and inputs known so far; empty for an object that is not in the state yet. */
  readonly state: PropertyMap;
  readonly inputs: PropertyMap;
  /** The object is to become a resource of the program, which wants all its inputs; a mere lookup needs none. */
  readonly imports: boolean;
}

export interface ReadResult {
  readonly id: string;
  readonly state: PropertyMap;
  readonly inputs: PropertyMap;
}

/** Reads an object for a refresh, an import or a lookup; `undefined` when it doesn't exist. */
export async function readObject(session: Session, request: ReadRequest): Promise<ReadResult | undefined> {
  const { namespace, name } = parseId(request.id);
  if (name === "") {
    throw new Error(
      `"${request.id}" names no object; the id of a Kubernetes resource is NAMESPACE/NAME or NAME.`,
    );
  }
  const old = parseCheckpoint(request.state);
  let known = normalize(toObject(request.inputs));
  const lookup = text(known, "kind") === "" && text(old.live, "kind") === "";
  if (text(known, "kind") === "") {
    known = {
      ...known,
      apiVersion: text(old.live, "apiVersion") || apiVersionOf(request.gvk),
      kind: text(old.live, "kind") || request.gvk.kind,
    };
    known = withValue(known, ["metadata", "name"], text(known, "metadata", "name") || name);
    if (namespace !== "") {
      known = withValue(known, ["metadata", "namespace"], text(known, "metadata", "namespace") || namespace);
    }
  }

  const gvk = gvkOf(text(known, "apiVersion"), text(known, "kind"));
  let live: PropertyMap | undefined;
  try {
    live = await session.client.find(gvk, namespace || session.defaultNamespace, name, session.signal);
  } catch (error) {
    // Without its definition no custom resource exists any more.
    if (!(error instanceof UnknownKindError)) throw error;
  }
  if (live === undefined) return undefined;

  const refreshed = () => {
    const pruned = prune(live, known);
    return text(old.live, "kind") === "" ? pruned : withUnreturned(pruned, known, old.live, live);
  };
  const inputs = request.imports ? importedInputs(live) : refreshed();
  const state = checkpointOf(
    {
      inputs,
      live,
      initialApiVersion: old.initialApiVersion || text(known, "apiVersion"),
      fieldManager: fieldManagerOf(session, old.fieldManager, known),
    },
    request.inputs,
  );
  const result: ReadResult = {
    id: request.id || idOf(live),
    state,
    inputs: markSecrets(inputs, request.inputs),
  };
  if (lookup) return result;

  const verdict = await readiness(session, { inputs: known, live });
  if (verdict.state !== "failed") return result;
  throw new InitializationError(`${gvk.kind} ${request.id} is not ready: ${verdict.reasons.join("\n")}`, {
    ...result,
    reasons: verdict.reasons,
  });
}

/** What the API server adds to objects of some kinds; a program that doesn't declare it must not remove it. */
const assigned: readonly (readonly string[])[] = [
  ["status"],
  ["metadata", "annotations", annotations.revision],
  ["metadata", "annotations", annotations.lastApplied],
  ["metadata", "labels", "kubernetes.io/metadata.name"],
];

/** Removing a Service's address from the inputs would mean a new Service. */
const assignedToServices = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"].map((key) => [
  "spec",
  key,
]);

/** What of a live object a program would declare. */
function importedInputs(live: PropertyMap): PropertyMap {
  const addressed = text(live, "kind") === "Service" && text(live, "spec", "clusterIP") !== "None";
  const paths = [...assigned, ...(addressed ? assignedToServices : [])];
  const inputs = paths.reduce((result, path) => without(result, path), normalize(live));
  return ["labels", "annotations"].reduce(
    (result, key) =>
      deepEqual(at(result, "metadata", key), {}) ? without(result, ["metadata", key]) : result,
    inputs,
  );
}
