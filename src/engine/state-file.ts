import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { valueAt } from "../core/fields.ts";
import { writeWhole } from "../tools/whole-file.ts";
import { isJson } from "./locks.ts";
import { presentable } from "./property-paths.ts";
import type { StackResource } from "./stack-resource.ts";

/** A resource in a Pulumi state, as far as we look. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly retainOnDelete?: boolean;
}

/** An operation that began and whose end was never written: the run was killed. */
export interface PendingOperation {
  readonly resource: StateResource;
  readonly type: string;
}

export interface State {
  readonly resources: readonly StateResource[];
  readonly pending: readonly PendingOperation[];
  /** Recognises the passphrase, where the secrets in it are encrypted with one. */
  readonly salt?: string;
}

/** Where the state of a stack of a file backend may be, without the ending. */
function filesOf(stateFolder: string, project: string, stack: string): string[] {
  const name = stack.split("/").at(-1) ?? stack;
  const base = join(stateFolder, ".pulumi", "stacks");
  return [join(base, project, name), join(base, name)];
}

/**
 * Removes attributes of the state that a killed CLI did not write to their end. The state itself is replaced as a whole; its
 * attributes, in a file beside it, are not, and while they cannot be read the CLI does not read the state. Nothing needs them,
 * neither those of a run that is alive.
 */
export async function removeHalfWrittenAttributes(
  stateFolder: string,
  project: string,
  stack: string,
): Promise<void> {
  const files = filesOf(stateFolder, project, stack).flatMap((file) => [
    `${file}.json.attrs`,
    `${file}.json.gz.attrs`,
  ]);
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined && !isJson(text)) await rm(file, { force: true });
  }
}

/** Reads a stack's state from a file backend without the CLI; `undefined` when there is no such stack. */
export async function readState(
  stateFolder: string,
  project: string,
  stack: string,
): Promise<State | undefined> {
  const text = await readStateText(stateFolder, project, stack);
  return text === undefined ? undefined : parseState(text);
}

/** The same as it stands in its file. */
export async function readStateText(
  stateFolder: string,
  project: string,
  stack: string,
): Promise<string | undefined> {
  for (const file of filesOf(stateFolder, project, stack)) {
    const text = await readText(`${file}.json`, `${file}.json.gz`);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Makes this the state of a stack of a file backend; `undefined`: there is no such stack. */
export async function writeStateText(
  stateFolder: string,
  project: string,
  stack: string,
  text: string | undefined,
): Promise<void> {
  const [file = "", former = ""] = filesOf(stateFolder, project, stack);
  const others = [`${file}.json.gz`, `${former}.json`, `${former}.json.gz`, `${file}.json.attrs`];
  await Promise.all(others.map((one) => rm(one, { force: true })));
  if (text === undefined) {
    await rm(`${file}.json`, { force: true });
    return;
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Without it the CLI takes the backend for one from before there were projects.
  await writeFile(join(stateFolder, ".pulumi", "meta.yaml"), "version: 1\n", { mode: 0o600 });
  await writeWhole(`${file}.json`, text);
}

/** Keeps the state of a stack under a name that means nothing to the CLI. */
export async function setStateAside(
  stateFolder: string,
  project: string,
  stack: string,
  ending: string,
): Promise<void> {
  for (const file of filesOf(stateFolder, project, stack)) {
    for (const kind of [".json", ".json.gz"]) {
      await rename(`${file}${kind}`, `${file}${kind}.${ending}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }
}

async function readText(plain: string, packed: string): Promise<string | undefined> {
  const read = (file: string) =>
    readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
  const text = await read(plain);
  if (text !== undefined) return text.toString("utf8");
  const bytes = await read(packed);
  return bytes === undefined ? undefined : (await promisify(gunzip)(bytes)).toString("utf8");
}

export function parseState(text: string): State {
  const value: unknown = JSON.parse(text);
  // A file of the backend has it under `checkpoint.latest`, an export under `deployment`.
  const latest = valueAt(value, ["checkpoint", "latest"]) ?? valueAt(value, ["deployment"]);
  const list = <T>(name: string) => {
    const items = valueAt(latest, [name]);
    return Array.isArray(items) ? (items as T[]) : [];
  };
  const salt = valueAt(latest, ["secrets_providers", "state", "salt"]);
  return {
    resources: list<StateResource>("resources"),
    pending: list<PendingOperation>("pending_operations"),
    ...(typeof salt === "string" ? { salt } : {}),
  };
}

/** The Kubernetes objects that a state knows. */
export function resourcesOf(state: State | undefined): StackResource[] {
  return (state?.resources ?? []).flatMap(({ type, id, retainOnDelete }) =>
    type.startsWith("kubernetes:") && id !== undefined
      ? [{ kind: type.split(":").at(-1) ?? type, id, retained: retainOnDelete === true }]
      : [],
  );
}

/** The resources that stand for these objects; what the state does not know is left out. */
export function urnsOf(state: State, objects: readonly Pick<StackResource, "kind" | "id">[]): string[] {
  const wanted = new Set(objects.map(({ kind, id }) => `${kind} ${id}`));
  return state.resources.flatMap(({ urn, type, id }) =>
    type.startsWith("kubernetes:") && wanted.has(`${type.split(":").at(-1)} ${id}`) ? [urn] : [],
  );
}

/** Outputs of the stack, secrets masked. */
export function outputsOf(state: State): Readonly<Record<string, unknown>> {
  const stack = state.resources.find((resource) => resource.type === "pulumi:pulumi:Stack");
  return (presentable(stack?.outputs ?? {}) ?? {}) as Record<string, unknown>;
}

/**
 * The id that the Kubernetes provider would have given: `namespace/name`, or the name of a cluster-wide object. The provider
 * writes both into the inputs before the creation, also where it made them up. `undefined` for everything else.
 */
export function idOfPendingCreate(operation: PendingOperation): string | undefined {
  const { resource } = operation;
  if (operation.type !== "creating" || !resource.type.startsWith("kubernetes:")) return undefined;
  const name = valueAt(resource.inputs, ["metadata", "name"]);
  if (typeof name !== "string") return undefined;
  const namespace = valueAt(resource.inputs, ["metadata", "namespace"]);
  return typeof namespace === "string" ? `${namespace}/${name}` : name;
}

/**
 * The exported state without unfinished operations, and with the objects that they may have created as resources: in
 * general nobody knows their ids, so the engine leaves them to people. `unsure` are the resources of which the state may
 * not say what is in the cluster: those, and the ones that were being changed or deleted.
 */
export function adoptPending(exported: string): {
  readonly state: string;
  readonly unsure: readonly string[];
} {
  const value = JSON.parse(exported) as { deployment: Record<string, unknown> };
  const { resources, pending } = parseState(exported);
  const known = new Set(resources.map((resource) => resource.urn));
  const adopted = pending.flatMap((operation) => {
    const id = idOfPendingCreate(operation);
    if (id === undefined || known.has(operation.resource.urn)) return [];
    return [{ ...operation.resource, id, outputs: operation.resource.inputs ?? {} }];
  });
  const touched = pending.map(({ resource }) => resource.urn).filter((urn) => known.has(urn));
  const { pending_operations: _settled, ...deployment } = value.deployment;
  return {
    state: JSON.stringify({ ...value, deployment: { ...deployment, resources: [...resources, ...adopted] } }),
    unsure: [...new Set([...adopted.map((resource) => resource.urn), ...touched])],
  };
}
