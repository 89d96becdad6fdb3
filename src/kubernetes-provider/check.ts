import { createHash, randomBytes } from "node:crypto";
import { annotations } from "./annotations.ts";
import { waitForProblem } from "./await/wait-for.ts";
import { markSecrets, toObject } from "./checkpoint.ts";
import { isAutonamed } from "./force-new.ts";
import { normalize } from "./normalize.ts";
import { annotation, at, nameOf, text, withValue } from "./objects.ts";
import { isMap, type PropertyMap, Unknown } from "./struct.ts";
import { nameOfUrn } from "./tokens.ts";

/** How the engine wants resources without a name to be named. */
export type Autonaming =
  | { readonly mode: "default" }
  | { readonly mode: "disabled" }
  | { readonly mode: "proposed"; readonly name: string };

export interface CheckRequest {
  readonly urn: string;
  /** Inputs of the state; empty for a new resource. */
  readonly olds: PropertyMap;
  readonly news: PropertyMap;
  readonly randomSeed: Uint8Array;
  readonly autonaming: Autonaming;
  /** Namespace for objects that name none; undefined for kinds without namespaces. */
  readonly defaultNamespace: string | undefined;
  /** Without server-side apply, new objects get the label that tells who manages them. */
  readonly label: "managed-by" | "none";
}

export type CheckResult =
  | { readonly ok: true; readonly inputs: PropertyMap }
  | { readonly ok: false; readonly reason: string };

const managedBy = "app.kubernetes.io/managed-by";

/** The inputs as they are applied: normalised, named, in a namespace. */
export function checkInputs(request: CheckRequest): CheckResult {
  const old = toObject(request.olds);
  let inputs = normalize(toObject(request.news));
  const isNew = Object.keys(old).length === 0;

  if (!isNamed(inputs)) {
    if (at(inputs, "metadata", "generateName") !== undefined) {
      return {
        ok: false,
        reason:
          "metadata.generateName is not supported with server-side apply; set metadata.name, or leave both out",
      };
    }
    if (isNew) {
      if (request.autonaming.mode === "disabled") {
        return { ok: false, reason: "automatic naming is disabled; set metadata.name" };
      }
      const name =
        request.autonaming.mode === "proposed"
          ? request.autonaming.name
          : uniqueName(`${nameOfUrn(request.urn)}-`, request.randomSeed);
      inputs = withAutoname(inputs, name);
    } else if (isAutonamed(old)) {
      inputs = withAutoname(inputs, nameOf(old));
    }
  }

  const labelled = isNew
    ? request.label === "managed-by"
    : at(old, "metadata", "labels", managedBy) === "pulumi";
  if (labelled && canHold(inputs, "labels")) {
    inputs = withValue(inputs, ["metadata", "labels", managedBy], "pulumi");
  }
  if (
    request.defaultNamespace !== undefined &&
    (at(inputs, "metadata", "namespace") === undefined || text(inputs, "metadata", "namespace") === "") &&
    !(at(inputs, "metadata", "namespace") instanceof Unknown) &&
    !(inputs.metadata instanceof Unknown)
  ) {
    inputs = withValue(inputs, ["metadata", "namespace"], request.defaultNamespace);
  }
  const waitFor = annotation(inputs, annotations.waitFor);
  const problem = waitFor === "" ? undefined : waitForProblem(waitFor);
  if (problem !== undefined) return { ok: false, reason: problem };
  return { ok: true, inputs: markSecrets(inputs, request.news) };
}

/** Whether the object has a name, even if it isn't known yet. */
export function isNamed(object: PropertyMap): boolean {
  return (
    nameOf(object) !== "" ||
    at(object, "metadata", "name") instanceof Unknown ||
    object.metadata instanceof Unknown
  );
}

/** `PREFIX` and eight hexadecimal digits; the same for the same seed, so that a plan and its execution agree. */
export function uniqueName(prefix: string, seed: Uint8Array): string {
  const digest = seed.length === 0 ? randomBytes(4) : createHash("sha256").update(seed).digest();
  return prefix + digest.toString("hex").slice(0, 8);
}

function withAutoname(inputs: PropertyMap, name: string): PropertyMap {
  const named = withValue(inputs, ["metadata", "name"], name);
  return canHold(named, "annotations")
    ? withValue(named, ["metadata", "annotations", annotations.autonamed], "true")
    : named;
}

/** Nothing can be added to a map that is not known yet. */
function canHold(inputs: PropertyMap, field: "labels" | "annotations"): boolean {
  const metadata = at(inputs, "metadata");
  if (metadata === undefined) return true;
  return isMap(metadata) && (metadata[field] === undefined || isMap(metadata[field]));
}
