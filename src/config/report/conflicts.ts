import { ingressNames, objectNames } from "../../core/names.ts";
import type { LocatedProblem } from "../file/effective.ts";
import type { ProjectFile, Target } from "../file/project.ts";

/** Where a target's objects and its Pulumi state are. */
export interface Claims {
  readonly target: Target;
  /** Cluster and namespace, as far as they are known, and how a message names them. */
  readonly place: { readonly key: string; readonly text: string } | undefined;
  /** Backend, project and stack. */
  readonly stack: { readonly key: string; readonly text: string };
}

/**
 * What two targets would both own: the objects of a model, or a stack. `of` are the targets to look at, `all` those there
 * are; each pair is named once. Pure.
 */
export function conflicts(
  project: ProjectFile,
  of: readonly Claims[],
  all: readonly Claims[],
): LocatedProblem[] {
  const seen = new Set<string>();
  const problems: LocatedProblem[] = [];
  for (const one of of) {
    for (const other of all) {
      const pair = [nameOf(one.target), nameOf(other.target)].sort().join("\n");
      if (one === other || nameOf(one.target) === nameOf(other.target) || seen.has(pair)) continue;
      const message = shared(one, other);
      if (message === undefined) continue;
      seen.add(pair);
      problems.push({ file: project.file, path: pathOf(project, one.target), message });
    }
  }
  return problems;
}

function shared(one: Claims, other: Claims): string | undefined {
  const { place, stack } = one;
  if (place !== undefined && place.key === other.place?.key) {
    if (one.target.model === other.target.model) {
      return `shares its objects with ${nameOf(other.target)}: both are the model ${one.target.model} in ${place.text}; give each environment its namespace, or its context`;
    }
    const object = sharedIngress(one.target.model, other.target.model);
    if (object !== undefined) {
      return `shares the Ingress ${object} with ${nameOf(other.target)} in ${place.text}; give one of them another name or namespace`;
    }
  }
  if (stack.key === other.stack.key) {
    return `has the same Pulumi stack as ${nameOf(other.target)} (${stack.text}); give each its pulumi.stack, or leave pulumi.project out`;
  }
  return undefined;
}

/** A model called like another one's Ingress beside its main one, whatever the routers. */
function sharedIngress(a: string, b: string): string | undefined {
  const ingresses = (model: string) => ingressNames(objectNames(model));
  return ingresses(a).find((name) => ingresses(b).includes(name));
}

/** `fraud in production`. */
export function nameOf({ model, environment }: Target): string {
  return environment === undefined ? model : `${model} in ${environment}`;
}

function pathOf(project: ProjectFile, target: Target): (string | number)[] {
  if (target.environment !== undefined) return ["environments", target.environment];
  return project.form === "model" ? [] : ["models", target.model];
}
