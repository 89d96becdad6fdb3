import { exitCodes, UserError } from "../../core/errors.ts";
import { type ConfigProblem, describePath, showValue } from "../parts/problem.ts";
import { translate } from "./problem-words.ts";
import { presetProblems, ruleProblems } from "./rules.ts";
import { configSchema } from "./schema.ts";
import type { ModelswitchConfig } from "./types.ts";

/**
 * Every mistake in the configuration of one model, in the order of its keys; none: it is valid. `where` says what an unknown
 * key at the top may have been meant to be: one of a model, or of the file, too. Pure.
 */
export function configProblems(input: unknown, where: "file" | "model" = "file"): ConfigProblem[] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return [{ path: [], message: `must be an object, but is ${showValue(input, [])}` }];
  }
  const checked = configSchema.safeParse(input);
  const shape = checked.success
    ? []
    : checked.error.issues.flatMap((issue) => translate(issue, input, [], where));
  // Rules over several fields hold for half-right files too: all mistakes are told at once. They say more than the shape.
  const rules = [
    ...ruleProblems(input),
    ...(checked.success ? presetProblems(withoutUndefined(checked.data) as ModelswitchConfig) : []),
  ];
  const ruled = new Set(rules.map((problem) => describePath(problem.path)));
  const problems = [...shape.filter((problem) => !ruled.has(describePath(problem.path))), ...rules];
  const order = Object.keys(input);
  const rank = (problem: ConfigProblem) => order.indexOf(String(problem.path[0]));
  return problems.sort((a, b) => rank(a) - rank(b));
}

/**
 * The configuration of one model if it is valid.
 * @throws UserError `config-invalid` (exit code 2) with every mistake, file and path named
 */
export function validateConfig(input: unknown, file: string): ModelswitchConfig {
  const problems = configProblems(input);
  if (problems.length > 0) throw invalidConfig(problems.map((problem) => ({ ...problem, file })));
  return withoutUndefined(input) as ModelswitchConfig;
}

/** Every mistake in one error; each names its file, its path and the value. */
export function invalidConfig(
  problems: readonly (ConfigProblem & { readonly file: string; readonly note?: string })[],
): UserError {
  const found = problems.map(({ file, path, message, note }) => ({
    file,
    path: describePath(path),
    message: note === undefined ? message : `${message} (${note})`,
  }));
  const files = [...new Set(found.map(({ file }) => file))];
  const [file = ""] = files;
  const [only, ...others] = found;
  const lines = found.map((problem) =>
    files.length === 1
      ? `  ${problem.path}: ${problem.message}`
      : `  ${problem.file}: ${problem.path}: ${problem.message}`,
  );
  const whose = files.length === 1 ? `${file} has` : "The configuration has";
  return new UserError({
    code: "config-invalid",
    message:
      only !== undefined && others.length === 0
        ? `${file}: ${only.path}: ${only.message}`
        : `${whose} ${found.length} mistakes:\n${lines.join("\n")}`,
    hint: "Every key is described in docs/configuration.md; `modelswitch config validate` checks all models and environments without changing anything.",
    exitCode: exitCodes.usage,
    details: {
      file,
      problems: found.map((problem) => ({
        ...(files.length === 1 ? {} : { file: problem.file }),
        path: problem.path,
        message: problem.message,
      })),
    },
  });
}

/** `undefined` says the same as no key, as in `context: process.env.CONTEXT`. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutUndefined(child)]));
}
