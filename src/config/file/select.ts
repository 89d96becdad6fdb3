import { exitCodes, UserError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { ProjectFile, Target } from "./project.ts";

/** A name that the user gave, and by what, for example `--model` or `MODELSWITCH_MODEL`. */
export interface Wanted {
  readonly name: string;
  readonly from: string;
}

export interface Choice {
  readonly model?: Wanted | undefined;
  readonly environment?: Wanted | undefined;
}

/**
 * The model and the environment that a command means.
 * @throws UserError `model-unknown`, `model-ambiguous`, `environment-unknown`, `environment-ambiguous` (exit code 2)
 */
export function chooseTarget(project: ProjectFile, choice: Choice): Target {
  return {
    model: chooseModel(project, choice.model),
    environment: chooseEnvironment(project, choice.environment),
  };
}

/**
 * What a query means: where it names no model, all of them in the environment; with `all` every environment, too.
 * @throws UserError as `chooseTarget`
 */
export function chooseTargets(project: ProjectFile, choice: Choice, all: boolean): Target[] {
  const models =
    choice.model === undefined ? [...project.models.keys()] : [chooseModel(project, choice.model)];
  const environments =
    all && choice.environment === undefined && project.environments.size > 0
      ? [...project.environments.keys()]
      : [chooseEnvironment(project, choice.environment)];
  return environments.flatMap((environment) => models.map((model) => ({ model, environment })));
}

function chooseModel(project: ProjectFile, wanted: Wanted | undefined): string {
  const names = [...project.models.keys()];
  if (wanted !== undefined) return known(project, wanted, names, "model");
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  throw new UserError({
    code: "model-ambiguous",
    message: `${project.file} has ${names.length} models, and none is named: ${names.join(", ")}.`,
    hint: `Name one: --model ${only ?? "NAME"}, or MODELSWITCH_MODEL=${only ?? "NAME"}.`,
    exitCode: exitCodes.usage,
    details: { models: names },
  });
}

function chooseEnvironment(project: ProjectFile, wanted: Wanted | undefined): string | undefined {
  const names = [...project.environments.keys()];
  if (wanted !== undefined) return known(project, wanted, names, "environment");
  if (project.defaultEnvironment !== undefined) return project.defaultEnvironment;
  const [only, ...others] = names;
  if (others.length === 0) return only;
  throw new UserError({
    code: "environment-ambiguous",
    message: `${project.file} has ${names.length} environments, and none is named: ${names.join(", ")}.`,
    hint: `Name one: --environment ${only}, MODELSWITCH_ENVIRONMENT=${only}, or defaultEnvironment in the file.`,
    exitCode: exitCodes.usage,
    details: { environments: names },
  });
}

function known(
  project: ProjectFile,
  { name, from }: Wanted,
  names: readonly string[],
  what: "model" | "environment",
): string {
  if (names.includes(name)) return name;
  const there =
    names.length === 0 ? `declares no ${what}s` : `has no ${what} "${name}"${didYouMean(name, names)}`;
  throw new UserError({
    code: what === "model" ? "model-unknown" : "environment-unknown",
    message: `${from} is "${name}", but ${project.file} ${there}`.replace(/[^?]$/, "$&."),
    hint:
      names.length > 0
        ? `Its ${what}s: ${names.join(", ")}.`
        : `Leave it out, or add environments: { "${name}": {} } to the file.`,
    exitCode: exitCodes.usage,
    details: { wanted: name, [`${what}s`]: names },
  });
}
