import { exitCodes, UserError } from "../../core/errors.ts";
import { isFields } from "../../core/fields.ts";
import { describePath } from "../parts/problem.ts";
import type { Path } from "./merge.ts";

/** The version of the file's shape that this modelswitch writes and reads without a change. */
export const configVersion = 1;

/** A key that has another name, or another place, since a version of the shape. */
interface Rename {
  /** The first version in which the old name is none any more. */
  readonly since: number;
  /** Within a model; the same holds in `defaults`, in `models` and in `environments`. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/**
 * Every change of the shape, oldest first. An old file is read as if it had been written anew, with a warning; a new file
 * with an old name is a mistake like any other.
 */
const renames: readonly Rename[] = [
  // Drafts before 0.1.0 had the annotation's name and Argo Rollouts' word; both are still typed from habit.
  { since: 1, from: ["ingress", "class"], to: ["ingress", "className"] },
  { since: 1, from: ["active"], to: ["live"] },
];

export interface ConfigWarning {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * The contents of a file in the current shape.
 * @throws UserError `config-version` for a file that a newer modelswitch is needed for
 */
export function upgradeConfig(
  input: unknown,
  file: string,
): { readonly value: unknown; readonly warnings: readonly ConfigWarning[] } {
  if (!isFields(input)) return { value: input, warnings: [] };
  const version = input.configVersion;
  // Whatever is no version is a mistake that the validation names.
  const stated = typeof version === "number" && Number.isInteger(version) && version >= 0;
  if (stated && version > configVersion) {
    throw new UserError({
      code: "config-version",
      message: `${file}: configVersion: ${version} was written for a newer modelswitch; this one reads versions up to ${configVersion}.`,
      hint: `Update modelswitch, or write the file in version ${configVersion}.`,
      exitCode: exitCodes.usage,
      details: { file, version, supported: configVersion },
    });
  }
  const applied: { readonly rename: Rename; readonly at: Path }[] = [];
  let value = input;
  for (const rename of renames) {
    if (stated && version >= rename.since) continue;
    value = everywhere(value, (part, at) => {
      const moved = move(part, rename);
      if (moved !== part) applied.push({ rename, at });
      return moved;
    });
  }
  if (applied.length === 0) return { value, warnings: [] };
  const lines = applied.map(
    ({ rename, at }) =>
      `${describePath([...at, ...rename.from])} is now ${describePath([...at, ...rename.to])}`,
  );
  const warning: ConfigWarning = {
    code: "config-outdated",
    message: `${file} has the shape of an older modelswitch: ${lines.join("; ")}. It was read as that.`,
    hint: `Rename ${applied.length === 1 ? "it" : "them"}, and set configVersion: ${configVersion}.`,
  };
  const { configVersion: _old, ...rest } = value;
  return { value: { ...rest, configVersion }, warnings: [warning] };
}

type Part = Record<string, unknown>;

/** Changes every part of the file that says something about a model. */
function everywhere(input: Part, change: (part: Part, at: Path) => Part): Part {
  const within = (part: Part, key: string, at: Path, inner: typeof change): Part => {
    const child = part[key];
    if (!isFields(child)) return part;
    const entries = Object.entries(child).map(([name, value]) => [
      name,
      isFields(value) ? inner(value, [...at, key, name]) : value,
    ]);
    return { ...part, [key]: Object.fromEntries(entries) };
  };
  let result = change(input, []);
  if (isFields(result.defaults)) result = { ...result, defaults: change(result.defaults, ["defaults"]) };
  result = within(result, "models", [], change);
  return within(result, "environments", [], (environment, at) =>
    within(change(environment, at), "models", at, change),
  );
}

/** The same object where the old name is not there, or the new one is there, too: then the old one is a mistake. */
function move(part: Part, { from, to }: Rename): Part {
  const value = from.reduce<unknown>((found, key) => (isFields(found) ? found[key] : undefined), part);
  const present = to.reduce<unknown>((found, key) => (isFields(found) ? found[key] : undefined), part);
  if (value === undefined || present !== undefined) return part;
  return put(without(part, from), to, value);
}

function without(part: Part, [key = "", ...rest]: readonly string[]): Part {
  const { [key]: child, ...others } = part;
  return rest.length === 0 || !isFields(child) ? others : { ...part, [key]: without(child, rest) };
}

function put(part: Part, [key = "", ...rest]: readonly string[], value: unknown): Part {
  const child = part[key];
  return { ...part, [key]: rest.length === 0 ? value : put(isFields(child) ? child : {}, rest, value) };
}
