import { extname } from "node:path";
import { isFields, valueAt } from "../../core/fields.ts";
import { typesAt } from "../model/model-schema.ts";
import { configProblems } from "../model/validate.ts";
import { type ConfigProblem, mayBeSecret } from "../parts/problem.ts";
import { type Env, hasExpressions, interpolate, textsIn, withValueAt } from "./interpolate.ts";
import { type Merged, mergeLayers, type Origin, originOf, type Path, pathKey } from "./merge.ts";
import {
  layersOf,
  modelPath,
  type Overlay,
  overlayProblems,
  type ProjectFile,
  type Target,
} from "./project.ts";

/** A mistake, and the file it stands in. */
export interface LocatedProblem extends ConfigProblem {
  readonly file: string;
  /** The environment in which it is one. */
  readonly environment?: string | undefined;
}

/** What one model is in one environment, before defaults. */
export interface Effective {
  readonly target: Target;
  /** In the form with one model; valid where there are no problems. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly problems: readonly LocatedProblem[];
  /** Values of variables that sound like secrets: nothing shows them. */
  readonly secrets: readonly string[];
}

/** Puts one model in one environment together, and finds every mistake in it. Pure. */
export function effectiveConfig(
  project: ProjectFile,
  target: Target,
  overlay: Overlay | undefined,
  env: Env,
): Effective {
  const layers = layersOf(project, target, overlay);
  const filled = fillIn(mergeLayers(layers), env);
  const own = modelPath(project, target.model);
  const named = project.form === "models" ? { name: target.model, ...filled.value } : filled.value;
  const origins = new Map(filled.origins);
  if (project.form === "models") origins.set(pathKey(["name"]), { file: project.file, path: own });

  const locate = ({ path, message }: ConfigProblem): LocatedProblem => {
    const origin = isMissing(named, path) ? undefined : originOf(origins, path);
    return {
      file: origin?.file ?? project.file,
      path: origin?.path ?? [...own, ...path],
      message: secretSource(origin) ?? hide(message, filled.secrets),
      environment: target.environment,
    };
  };
  const broken = new Set(filled.problems.map(({ path }) => pathKey(path)));
  const ofModel = configProblems(named, project.form === "model" ? "file" : "model").filter(
    ({ path }) => !broken.has(pathKey(path)),
  );
  const names = project.form === "models" ? [...project.models.keys()] : undefined;
  const ofOverlay = overlay === undefined ? [] : overlayProblems(overlay.value, [], names);
  // The file says already what is wrong with names and with parts that are no objects.
  const said = new Set(project.problems.map(({ path }) => pathKey(path)));
  return {
    target,
    input: named,
    origins,
    problems: [
      ...filled.problems.map(locate),
      ...ofModel.map(locate).filter(({ file, path }) => file !== project.file || !said.has(pathKey(path))),
      ...ofOverlay.map((problem) => ({ ...problem, file: overlay?.file ?? project.file })),
    ],
    secrets: filled.secrets,
  };
}

/** Nothing stands at the path: the mistake is the model's, not that of whoever wrote the part around it. */
function isMissing(input: unknown, path: Path): boolean {
  if (valueAt(input, path) !== undefined) return false;
  return !path.some((key) => typeof key === "number");
}

interface Filled extends Merged {
  readonly problems: readonly ConfigProblem[];
  readonly secrets: readonly string[];
}

/** Replaces `${env:NAME}` in what JSON and YAML files gave; programs read their environment themselves. */
function fillIn(merged: Merged, env: Env): Filled {
  let value: unknown = merged.value;
  const origins = new Map(merged.origins);
  const problems: ConfigProblem[] = [];
  const secrets: string[] = [];
  for (const { path, text } of textsIn(merged.value)) {
    const origin = originOf(origins, path);
    if (origin === undefined || !isData(origin.file) || !hasExpressions(text)) continue;
    const result = interpolate(text, env);
    problems.push(...result.problems.map((message) => ({ path, message })));
    secrets.push(...result.variables.filter((name) => mayBeSecret([name])).map((name) => env[name] ?? ""));
    value = withValueAt(value, path, typed(result.text, path));
    origins.set(pathKey(path), { ...origin, variables: result.variables });
  }
  return {
    value: isFields(value) ? value : {},
    origins,
    problems,
    secrets: secrets.filter((secret) => secret !== ""),
  };
}

/** Variables are texts: where the key takes a number, or true or false, that is what is meant. */
function typed(text: string, path: Path): unknown {
  const types = typesAt(path);
  if (types.includes("string")) return text;
  if ((types.includes("number") || types.includes("integer")) && /^-?\d+(\.\d+)?$/.test(text))
    return Number(text);
  if (types.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** Files that hold data, not a program. */
export function isData(file: string): boolean {
  return [".json", ".yaml", ".yml"].includes(extname(file));
}

/** Of a value that may be a secret not even what is close to it is shown. */
function secretSource(origin: Origin | undefined): string | undefined {
  const secret = origin?.variables?.find((name) => mayBeSecret([name]));
  return secret === undefined ? undefined : `[hidden], from ${secret}, is not what this key takes`;
}

function hide(message: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, "[hidden]"), message);
}
