import { createHash } from "node:crypto";
import { access, constants, mkdir, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { writeWhole } from "../tools/whole-file.ts";
import type { OperationId } from "./head.ts";
import type { StackId } from "./names.ts";
import type { LocalCopy } from "./which-copy.ts";

const copySchema = z.object({
  id: z.string(),
  operations: z.array(z.object({ serial: z.number().int(), token: z.string() })),
});

/** How many operations are remembered: a Secret that is older is not taken for an ancestor of the copy. */
const keptOperations = 100;

/** Notes beside the copy of a state on this machine which operations led to it. */
export class LocalNote {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, "operations.json");
  }

  /** `undefined`: there is no copy, or nobody knows of what. */
  async read(): Promise<LocalCopy | undefined> {
    try {
      return copySchema.parse(JSON.parse(await readFile(this.#file, "utf8")));
    } catch {
      return undefined;
    }
  }

  async write({ id, operations }: LocalCopy): Promise<void> {
    await writeWhole(this.#file, JSON.stringify({ id, operations: operations.slice(-keptOperations) }));
  }
}

/** The copy once another operation went on from it. Pure. */
export function withOperation(before: LocalCopy | undefined, id: string, next: OperationId): LocalCopy {
  const { serial, token } = next;
  const former = before?.id === id ? before.operations : [];
  return { id, operations: [...former, { serial, token }] };
}

/**
 * Folder of one stack's copy on this machine, for this user alone: the same for every command about the same cluster, namespace and stack.
 * `home` is the user's state folder.
 */
export function privateFolder(
  home: string,
  about: StackId & { readonly cluster: string; readonly namespace: string },
): string {
  const { cluster, namespace, project, stack } = about;
  const digest = createHash("sha256")
    .update(JSON.stringify([cluster, namespace, project, stack]))
    .digest("hex")
    .slice(0, 16);
  return join(home, "stacks", `${namespace}-${digest}`);
}

/**
 * Makes the first of these folders that can be made, else one in the system's temporary folder: a machine that forgets its copy has the
 * cluster's all the same. Returns which it is.
 */
export async function makePrivateFolder(wanted: readonly string[]): Promise<string> {
  for (const folder of wanted) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.W_OK);
      return folder;
    } catch {
      // The next one.
    }
  }
  return await mkdtemp(join(tmpdir(), "modelswitch-stack-"));
}

/**
 * What tells this cluster from others: the UID of the namespace `kube-system`, which is as old as the cluster. Who may not see that one has
 * the UID of the model's own namespace, and who sees neither the API server's address: a cluster with two addresses has two folders then,
 * which costs no more than a download.
 */
export async function clusterIdentity(api: KubernetesApi, namespace: string): Promise<string> {
  for (const name of ["kube-system", namespace]) {
    const found = await api.find(`/api/v1/namespaces/${name}`).catch(() => undefined);
    const uid = found?.metadata?.uid;
    if (uid !== undefined) return `${name} ${uid}`;
  }
  return api.server;
}
