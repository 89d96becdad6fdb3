import { isFields } from "../../core/fields.ts";
import { modelNamePattern } from "../../core/names.ts";
import { didYouMean } from "../../core/nearest.ts";
import { closestName } from "../model/rules.ts";
import { configSchema } from "../model/schema.ts";
import { type ConfigProblem, showValue } from "../parts/problem.ts";
import type { Layer, Path } from "./merge.ts";
import { configVersion } from "./version.ts";

/** Keys that belong to the file, not to a model. */
export const fileKeys = ["$schema", "configVersion", "environments", "defaultEnvironment"] as const;
/** Keys of the form with several models. */
const projectKeys = ["$schema", "configVersion", "defaults", "models", "environments", "defaultEnvironment"];

/** Letters that are safe in the name of a Pulumi stack, of a file and of a shell word. */
export const environmentNamePattern = /^[a-z][-a-z0-9]{0,39}$/;

/** What a file declares, before anything of it is merged. */
export interface ProjectFile {
  readonly file: string;
  /** `model`: the file is one model; `models`: it names several. */
  readonly form: "model" | "models";
  readonly defaults: unknown;
  readonly models: ReadonlyMap<string, unknown>;
  readonly environments: ReadonlyMap<string, unknown>;
  readonly defaultEnvironment: string | undefined;
  /** Mistakes of the file as such; those of a model show when it is put together. */
  readonly problems: readonly ConfigProblem[];
}

/** One model in one environment. */
export interface Target {
  readonly model: string;
  /** `undefined`: the file declares no environments. */
  readonly environment: string | undefined;
}

/** A file beside the configuration that says what one environment has otherwise. */
export interface Overlay {
  readonly file: string;
  readonly value: unknown;
}

/** Takes a file apart. Pure. */
export function projectOf(input: unknown, file: string): ProjectFile {
  const empty = { file, defaults: undefined, models: new Map(), environments: new Map() } as const;
  if (!isFields(input)) {
    const problems = [{ path: [], message: `must be an object, but is ${showValue(input, [])}` }];
    return { ...empty, form: "model", defaultEnvironment: undefined, problems };
  }
  const isProject = input.models !== undefined;
  const environments = named(input.environments);
  const { defaultEnvironment } = input;
  const problems = [
    ...fileProblems(input),
    ...(isProject ? projectProblems(input) : singleProblems(input)),
    ...environmentProblems(input, isProject),
  ];
  const common = {
    file,
    environments,
    defaultEnvironment: typeof defaultEnvironment === "string" ? defaultEnvironment : undefined,
    problems,
  };
  if (isProject) {
    return { ...common, form: "models", defaults: input.defaults, models: named(input.models) };
  }
  const own = Object.entries(input).filter(([key]) => !fileKeys.some((name) => name === key));
  const name = typeof input.name === "string" ? input.name : "";
  return {
    ...common,
    form: "model",
    defaults: undefined,
    models: new Map([[name, Object.fromEntries(own)]]),
  };
}

/** In YAML a name without anything after it is `null`: one that adds nothing. */
function named(value: unknown): ReadonlyMap<string, unknown> {
  if (!isFields(value)) return new Map();
  return new Map(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([name, entry]) => [name, entry ?? {}]),
  );
}

function fileProblems(input: Readonly<Record<string, unknown>>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { $schema, configVersion: version, defaultEnvironment } = input;
  if ($schema !== undefined && typeof $schema !== "string") {
    problems.push({ path: ["$schema"], message: `${showValue($schema, [])} must be a text` });
  }
  if (version !== undefined && (typeof version !== "number" || !Number.isInteger(version) || version < 0)) {
    const message = `${showValue(version, [])} is no version of the configuration; write ${configVersion}`;
    problems.push({ path: ["configVersion"], message });
  }
  if (defaultEnvironment !== undefined) {
    const names = [...named(input.environments).keys()];
    const message =
      typeof defaultEnvironment !== "string"
        ? `${showValue(defaultEnvironment, [])} must be a text`
        : names.includes(defaultEnvironment)
          ? undefined
          : names.length === 0
            ? `"${defaultEnvironment}" is not declared; add environments: { "${defaultEnvironment}": {} }`
            : `"${defaultEnvironment}" is none of ${names.join(", ")}${didYouMean(defaultEnvironment, names)}`;
    if (message !== undefined) problems.push({ path: ["defaultEnvironment"], message });
  }
  return problems;
}

function projectProblems(input: Readonly<Record<string, unknown>>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const ofModel = Object.keys(configSchema.shape);
  for (const [key, value] of Object.entries(input)) {
    if (projectKeys.includes(key) || value === undefined) continue;
    const message =
      key === "name"
        ? 'is given, and "models" too; in this form the key of a model is its name'
        : ofModel.includes(key)
          ? `belongs to a model; move it to "defaults.${key}" (for all of them) or "models.NAME.${key}"`
          : `is an unknown key${didYouMean(key, [...projectKeys, ...ofModel]) || `; known are ${projectKeys.join(", ")}`}`;
    problems.push({ path: [key], message });
  }
  const { models, defaults } = input;
  if (!isFields(models) || Object.keys(models).length === 0) {
    const is = isFields(models) ? "is empty" : `${showValue(models, [])} must be an object`;
    problems.push({
      path: ["models"],
      message: `${is}; its keys are the models, for example { fraud: { … } }`,
    });
    return problems;
  }
  if (defaults !== undefined && !isFields(defaults)) {
    problems.push({ path: ["defaults"], message: `${showValue(defaults, [])} must be an object` });
  }
  for (const [name, model] of Object.entries(models)) {
    problems.push(...nameProblems(["models", name], name, modelNamePattern, "model", 52));
    problems.push(...partProblems(["models", name], model));
  }
  problems.push(...partProblems(["defaults"], defaults));
  return problems;
}

function singleProblems(input: Readonly<Record<string, unknown>>): ConfigProblem[] {
  if (input.defaults === undefined) return [];
  const message = 'needs "models", which share it; a single model has its keys at the top of the file';
  return [{ path: ["defaults"], message }];
}

function environmentProblems(input: Readonly<Record<string, unknown>>, isProject: boolean): ConfigProblem[] {
  const { environments } = input;
  if (environments === undefined) return [];
  if (!isFields(environments)) {
    const message = `${showValue(environments, [])} must be an object; its keys are the environments`;
    return [{ path: ["environments"], message }];
  }
  const models = isProject ? [...named(input.models).keys()] : undefined;
  return Object.entries(environments).flatMap(([name, environment]) => [
    ...nameProblems(["environments", name], name, environmentNamePattern, "environment", 40),
    ...overlayProblems(environment, ["environments", name], models),
  ]);
}

/**
 * Mistakes of what an environment adds, in the file or in one of its own: what the merged models cannot show. `models` are the
 * names there are; `undefined` in the form with one model.
 */
export function overlayProblems(
  overlay: unknown,
  at: Path,
  models: readonly string[] | undefined,
): ConfigProblem[] {
  const problems = partProblems(at, overlay);
  if (!isFields(overlay) || overlay.models === undefined) return problems;
  const path = [...at, "models"];
  if (models === undefined) {
    const message = "is for files with several models; here write its keys directly";
    return [...problems, { path, message }];
  }
  if (!isFields(overlay.models)) {
    return [...problems, { path, message: `${showValue(overlay.models, [])} must be an object` }];
  }
  for (const [name, part] of Object.entries(overlay.models)) {
    if (!models.includes(name)) {
      const message = `is none of the models ${models.join(", ")}${didYouMean(name, models)}`;
      problems.push({ path: [...path, name], message });
    }
    problems.push(...partProblems([...path, name], part));
  }
  return problems;
}

function partProblems(path: Path, part: unknown): ConfigProblem[] {
  if (part === undefined || part === null) return [];
  if (!isFields(part)) return [{ path, message: `${showValue(part, path)} must be an object` }];
  if (part.name === undefined) return [];
  const message =
    path[0] === "models"
      ? "is not needed: the key of a model is its name"
      : "belongs to the model and is the same everywhere; give environments that share a cluster a namespace each";
  return [{ path: [...path, "name"], message }];
}

function nameProblems(
  path: Path,
  name: string,
  allowed: RegExp,
  what: "model" | "environment",
  length: number,
): ConfigProblem[] {
  if (allowed.test(name)) return [];
  const close = closestName(name, /^[^a-z]+/, length);
  const meant = close === "" ? "" : `; did you mean "${close}"?`;
  const message = `is no name of ${what === "model" ? "a model" : "an environment"}: lower-case letters, digits and -, at most ${length} characters, first a letter${meant}`;
  return [{ path, message }];
}

/** Where a model's own part stands in the file. */
export function modelPath(project: ProjectFile, model: string): Path {
  return project.form === "model" ? [] : ["models", model];
}

/** Every model in every environment, in the order of the file. */
export function targetsOf(project: ProjectFile): Target[] {
  const environments = project.environments.size === 0 ? [undefined] : [...project.environments.keys()];
  return environments.flatMap((environment) =>
    [...project.models.keys()].map((model) => ({ model, environment })),
  );
}

/**
 * What says something about one model in one environment, the more specific the later: `defaults`, the model, the
 * environment, the environment's part on the model, and the same two of the environment's own file.
 */
export function layersOf(project: ProjectFile, target: Target, overlay: Overlay | undefined): Layer[] {
  const { file } = project;
  const layers: Layer[] = [];
  const add = (layer: Layer) => {
    if (layer.value !== undefined && layer.value !== null) layers.push(layer);
  };
  add({ file, at: ["defaults"], value: project.defaults });
  add({ file, at: modelPath(project, target.model), value: project.models.get(target.model) });
  const environment = (part: unknown, from: string, at: Path) => {
    if (!isFields(part)) return;
    const { models, $schema: _schema, configVersion: _version, ...own } = part;
    add({ file: from, at, value: own });
    const ofModel = isFields(models) ? models[target.model] : undefined;
    add({ file: from, at: [...at, "models", target.model], value: ofModel });
  };
  if (target.environment !== undefined) {
    const { environment: name } = target;
    environment(project.environments.get(name), file, ["environments", name]);
    if (overlay !== undefined) environment(overlay.value, overlay.file, []);
  }
  return layers;
}
