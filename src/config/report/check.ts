import { UserError } from "../../core/errors.ts";
import type { Effective, LocatedProblem } from "../file/effective.ts";
import { pathKey } from "../file/merge.ts";
import { type ProjectFile, type Target, targetsOf } from "../file/project.ts";
import { type OpenProject, readTarget } from "../file/read.ts";

/** Every model in every environment, put together; a file that cannot be read is a mistake of its environment. */
export async function readTargets(
  open: OpenProject,
): Promise<{ readonly effective: readonly Effective[]; readonly problems: readonly LocatedProblem[] }> {
  const effective: Effective[] = [];
  const problems: LocatedProblem[] = [];
  for (const target of targetsOf(open.project)) {
    try {
      effective.push(await readTarget(open, target));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(unreadable(open.project, target, error));
    }
  }
  return { effective, problems };
}

function unreadable(project: ProjectFile, { environment }: Target, error: UserError): LocatedProblem {
  const path = environment === undefined ? [] : ["environments", environment];
  return { file: project.file, path, message: error.message };
}

/**
 * Mistakes that several environments share are told once; the others with the environments that they are in. Pure.
 */
export function summarized(
  project: ProjectFile,
  problems: readonly LocatedProblem[],
): (LocatedProblem & { readonly note?: string })[] {
  const same = new Map<string, { readonly problem: LocatedProblem; readonly environments: string[] }>();
  for (const problem of problems) {
    const key = JSON.stringify([problem.file, pathKey(problem.path), problem.message]);
    const entry = same.get(key) ?? { problem, environments: [] };
    if (problem.environment !== undefined) entry.environments.push(problem.environment);
    same.set(key, entry);
  }
  return [...same.values()].map(({ problem, environments }) => {
    const { file, path, message } = problem;
    const names = [...new Set(environments)];
    const isEverywhere = names.length === 0 || names.length === project.environments.size;
    // What stands in an environment's own part says by its place where it is one.
    const isOwn = file !== project.file || path[0] === "environments";
    if (isEverywhere || isOwn) return { file, path, message };
    const note = `in the ${names.length === 1 ? "environment" : "environments"} ${names.join(", ")}`;
    return { file, path, message, note };
  });
}
