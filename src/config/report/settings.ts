import { routerNamed } from "../../component/routers/factory.ts";
import { isFields, valueAt } from "../../core/fields.ts";
import type { ModelServer } from "../../core/model.ts";
import { placeOf } from "../../core/urls.ts";
import type { Effective } from "../file/effective.ts";
import { type Origin, originOf, type Path } from "../file/merge.ts";
import { alternatives, type JsonSchema, modelJsonSchema } from "../model/model-schema.ts";
import type { ResolvedConfig } from "../model/types.ts";
import { describePath, isCallUrl, mayBeSecret } from "../parts/problem.ts";

/** Where a value comes from. */
export type Source =
  | { readonly kind: "file"; readonly origin: Origin }
  | { readonly kind: "default" }
  /** A default of the model server's preset. */
  | { readonly kind: "preset"; readonly preset: string }
  /** `--context`, `MODELSWITCH_CONTEXT`, `KUBECONFIG`, `the kubeconfig's context`. */
  | { readonly kind: "surroundings"; readonly name: string };

/** One value that applies, and where it comes from. */
export interface Setting {
  readonly path: Path;
  /** `undefined`: only `note` says what applies. */
  readonly value: unknown;
  /** What applies, in words, where it is no single value: `the image's own`. */
  readonly note?: string;
  readonly source: Source;
}

/** What is known beside the files. */
export interface SettingsContext {
  /** `undefined` where no cluster is chosen. */
  readonly resolved: ResolvedConfig | undefined;
  readonly kubeconfig: Setting | undefined;
  readonly context: Setting | undefined;
}

/** Every value that applies to one model in one environment, defaults included, in the order of the reference. Pure. */
export function settingsOf(effective: Effective, around: SettingsContext): Setting[] {
  const { input, origins } = effective;
  const given = leavesOf(input, []).map(
    ({ path, value }): Setting => ({ path, value, source: fileSource(origins, path) }),
  );
  const computed = computedSettings(effective, around);
  const settings = new Map<string, Setting>();
  const defaults = defaultsOf(modelJsonSchema(), input, []);
  // What was worked out says more than the default's description, what was given more than both.
  for (const setting of [...defaults, ...computed, ...given, ...chosen(around)])
    settings.set(describePath(setting.path), setting);
  // The description of a default gives way to the parts that it is made of.
  for (const { path } of [...computed, ...given])
    for (let length = 1; length < path.length; length++) {
      const whole = settings.get(describePath(path.slice(0, length)));
      if (whole !== undefined && whole.source.kind === "default") settings.delete(describePath(whole.path));
    }
  return [...settings.values()]
    .sort((a, b) => compare(rankOf(a.path), rankOf(b.path)))
    .map((one) => hidden(one, effective));
}

/** Where a path stands in the schema, level by level; keys that users choose keep their order. */
function rankOf(path: Path): number[] {
  const ranks: number[] = [];
  let schema: JsonSchema | undefined = modelJsonSchema();
  for (const key of path) {
    const object: JsonSchema | undefined = objectOf(schema, undefined, String(key));
    ranks.push(Object.keys(object?.properties ?? {}).indexOf(String(key)));
    schema = object?.properties?.[String(key)];
  }
  return ranks;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [level, rank] of a.entries()) {
    const other = b[level];
    if (other === undefined) return 1;
    if (rank !== other) return rank - other;
  }
  return a.length - b.length;
}

/** The description of an object: the alternative that fits the value, or the first that has the key. */
function objectOf(schema: JsonSchema | undefined, value?: unknown, key?: string): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  const objects = alternatives(schema, value).filter(({ properties }) => properties !== undefined);
  return objects.find(({ properties }) => key !== undefined && properties?.[key] !== undefined) ?? objects[0];
}

/** What the options say wins over the file. */
function chosen({ kubeconfig, context }: SettingsContext): Setting[] {
  return [kubeconfig, context].filter((setting) => setting !== undefined);
}

function fileSource(origins: ReadonlyMap<string, Origin>, path: Path): Source {
  const origin = originOf(origins, path);
  return origin === undefined ? { kind: "default" } : { kind: "file", origin };
}

function leavesOf(value: unknown, path: Path): { readonly path: Path; readonly value: unknown }[] {
  if (!isFields(value)) return value === undefined ? [] : [{ path, value }];
  const entries = Object.entries(value);
  if (entries.length === 0) return [{ path, value }];
  return entries.flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function computedSettings({ input, origins }: Effective, { resolved }: SettingsContext): Setting[] {
  if (resolved === undefined) return [];
  const settings: Setting[] = [];
  const add = (path: Path, value: unknown, source: Source = { kind: "default" }) => {
    if (value !== undefined) settings.push({ path, value, source });
  };
  add(
    ["namespace"],
    resolved.namespace ?? "default",
    resolved.namespace === undefined
      ? { kind: "default" }
      : { kind: "surroundings", name: "the kubeconfig's context" },
  );
  if (!routerNamed(resolved.router).byIngressClass && resolved.ingress.className === undefined) {
    const note = `none: the router ${resolved.router} has no class of its own`;
    settings.push({ path: ["ingress", "className"], value: undefined, note, source: { kind: "default" } });
  }
  const preset: Source = { kind: "preset", preset: resolved.server.name };
  if (input.server === undefined) add(["server"], resolved.server.name);
  if (!isFields(input.server)) {
    for (const { path, value } of leavesOf(resolved.server, [])) add(["server", ...path], value, preset);
  }
  if (input.identity === undefined) settings.push(...identitySettings(input, origins, resolved.server));
  const { project, stack, backendUrl, secretsProvider } = resolved.pulumi;
  add(["pulumi", "project"], project);
  add(["pulumi", "stack"], stack);
  if (backendUrl === undefined && secretsProvider === undefined) {
    const note = "Secrets beside the model";
    settings.push({ path: ["pulumi", "backend"], value: undefined, note, source: { kind: "default" } });
  } else add(["pulumi", "backend"], backendUrl ?? `file://${resolved.folder}/.modelswitch/state`);
  return settings;
}

/** The identity where the file gives none for itself: what it says of the model server, or the preset's own. */
function identitySettings(
  input: object,
  origins: ReadonlyMap<string, Origin>,
  { name, identity }: ModelServer,
): Setting[] {
  if (identity === undefined)
    return [{ path: ["identity"], value: undefined, note: "none", source: { kind: "default" } }];
  return leavesOf(identity, []).map(({ path, value }): Setting => {
    const [first, ...rest] = path;
    const places = [
      ["server", "identity", ...path],
      ...(first === "grpc" ? [["server", "grpcOnly", ...rest]] : []),
    ];
    const said = places.find((place) => valueAt(input, place) !== undefined);
    const source: Source = said === undefined ? { kind: "preset", preset: name } : fileSource(origins, said);
    return { path: ["identity", ...path], value, source };
  });
}

/** Parts that are there although no file has them: all of their keys have defaults. */
const implied = ["pulumi", "deadlines"];

/** Defaults of the keys that are not given, as the schema describes them. */
function defaultsOf(schema: JsonSchema, value: unknown, path: Path): Setting[] {
  return Object.entries(objectOf(schema, value)?.properties ?? {}).flatMap(([key, child]): Setting[] => {
    const at = [...path, key];
    const present = valueAt(value, [key]);
    if (isFields(present) || (path.length === 0 && implied.includes(key) && present === undefined))
      return defaultsOf(child, present, at);
    if (present !== undefined) return [];
    const text = /Default: (.*?)(?:\. [A-Z].*)?$/.exec(child.description ?? "")?.[1];
    return text === undefined ? [] : [{ path: at, ...asValue(text), source: { kind: "default" } }];
  });
}

/** A default as the schema has it in words: one word is a value, more are a description. */
function asValue(text: string): Pick<Setting, "value" | "note"> {
  if (text === "true" || text === "false") return { value: text === "true" };
  if (/^-?\d+(\.\d+)?$/.test(text)) return { value: Number(text) };
  return /\s/.test(text) ? { value: undefined, note: text } : { value: text };
}

function hidden(setting: Setting, { secrets }: Effective): Setting {
  const { path, value } = setting;
  // Names of objects in the cluster, and what the schema says, are no secrets.
  const secret = setting.source.kind === "file" && mayBeSecret(path);
  const hide = (part: unknown, at: Path): unknown => {
    if (Array.isArray(part)) return part.map((child, index) => hide(child, [...at, index]));
    if (isFields(part))
      return Object.fromEntries(
        Object.entries(part).map(([key, child]) => [
          key,
          mayBeSecret([key]) && !isFields(child) ? "[hidden]" : hide(child, [...at, key]),
        ]),
      );
    if (typeof part !== "string" && typeof part !== "number") return part;
    if (secret) return "[hidden]";
    if (isCallUrl(at)) return `[hidden], at ${placeOf(String(part))}`;
    const text = secrets.reduce((shown, one) => shown.replaceAll(one, "[hidden]"), String(part));
    const bare = text.replace(/(\/\/)[^@/\s]+@/g, "$1[hidden]@");
    return bare === String(part) ? part : bare;
  };
  return { ...setting, value: hide(value, path) };
}

/** The settings that are values, as one configuration. */
export function asConfig(settings: readonly Setting[]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const { path, value } of settings) {
    if (value === undefined) continue;
    let place = config;
    for (const key of path.slice(0, -1)) {
      // `server: mlserver` and what it stands for can't both be there: what it stands for applies.
      const child = isFields(place[String(key)]) ? place[String(key)] : {};
      place[String(key)] = child;
      place = child as Record<string, unknown>;
    }
    const last = String(path.at(-1));
    if (!isFields(place[last])) place[last] = value;
  }
  return config;
}
