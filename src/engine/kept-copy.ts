import { rm } from "node:fs/promises";
import type { StateStore, StoredHead } from "../state/cluster-state.ts";
import { LocalNote, withOperation } from "../state/local-copy.ts";
import type { StackId } from "../state/names.ts";
import { digestOf } from "../state/parts.ts";
import { type Choice, type LocalCopy, whichCopy, withoutSecret } from "../state/which-copy.ts";
import { readStateText, writeStateText } from "./state-file.ts";
import { type ProjectFolders, projectFolders, settingsFile } from "./workspace.ts";

/** Where a stack's state is kept in the cluster, and where this machine has its copy. */
export interface KeptPlace {
  readonly state: StateStore;
  /** For this user alone, and this stack alone. */
  readonly folder: string;
  /** The rollout record says that the state is in the cluster: where there is none, it was deleted. */
  readonly isRecorded: boolean;
}

/** Both copies as they are, and which one is gone on from. */
export interface Look {
  readonly stored: StoredHead | undefined;
  readonly choice: Choice;
  /** The state that is gone on from, as the file backend keeps it; `undefined`: there is none. */
  readonly text: string | undefined;
  readonly local: LocalCopy | undefined;
  /** What this machine's copy is. */
  readonly own: string | undefined;
}

const lookAttempts = 3;

/** The copy of a stack's state on this machine, and the one in the cluster. */
export class KeptCopy {
  readonly #place: KeptPlace;
  readonly #id: StackId;
  readonly #note: LocalNote;
  readonly #folders: ProjectFolders & { readonly stateFolder: string };

  constructor(place: KeptPlace, id: StackId) {
    this.#place = place;
    this.#id = id;
    this.#note = new LocalNote(place.folder);
    this.#folders = keptFolders(place.folder, id.project);
  }

  /** Looks at both. Changes nothing. */
  async look(): Promise<Look> {
    const { state, isRecorded } = this.#place;
    for (let attempt = 1; ; attempt++) {
      const [stored, own, note] = await Promise.all([state.load(), this.#own(), this.#note.read()]);
      const local = own === undefined ? undefined : note;
      const copies = { head: stored?.head, isForeign: stored?.isForeign ?? false, local, isRecorded };
      const choice = whichCopy(copies);
      if (choice.from === "nothing") return { stored, choice, text: undefined, local, own };
      if (choice.from === "local") return { stored, choice, text: own, local, own };
      const text = await this.#fromSecret(stored, own);
      if (text !== undefined) return { stored, choice, text, local, own };
      // Somebody may have written two states while this one was read.
      if (attempt < lookAttempts) continue;
      const other = withoutSecret(copies);
      return { stored, choice: other, text: other.from === "local" ? own : undefined, local, own };
    }
  }

  /**
   * Notes in the cluster that an operation begins, and makes this machine's copy what it goes on from.
   * @returns `undefined`: somebody was quicker, so it has to be looked again
   */
  async begin({ stored, choice, text, local, own }: Look): Promise<StoredHead | undefined> {
    const begun = await this.#place.state.begin(stored, choice.refresh);
    if (begun === undefined) return undefined;
    if (text !== own) {
      // Settings hold the salt of the key that the former state had.
      await rm(settingsFile(this.#folders, this.#id.stack), { force: true });
      await writeStateText(this.#folders.stateFolder, this.#id.project, this.#id.stack, text);
    }
    const before = choice.from === "local" ? local : ancestorsOf(stored, local, text);
    await this.#note.write(withOperation(before, begun.head.id, begun.head));
    return begun;
  }

  /** The state as the operation has left it on this machine. */
  async #own(): Promise<string | undefined> {
    return await readStateText(this.#folders.stateFolder, this.#id.project, this.#id.stack);
  }

  /** Keeps what the operation has left in the cluster. */
  async end(begun: StoredHead, stale: boolean): ReturnType<StateStore["end"]> {
    return await this.#place.state.end(begun, await this.#own(), stale);
  }

  /** Deletes both. Returns whether the cluster had one. */
  async remove(): Promise<boolean> {
    const isRemoved = await this.#place.state.remove();
    await rm(this.#place.folder, { recursive: true, force: true });
    return isRemoved;
  }

  async #fromSecret(stored: StoredHead | undefined, own: string | undefined): Promise<string | undefined> {
    if (stored === undefined) return undefined;
    // What this machine has need not be downloaded.
    if (own !== undefined && digestOf(own) === stored.head.saved?.sha256) return own;
    return await this.#place.state.text(stored.head);
  }
}

/** Folders of a stack whose file backend is in a folder of its own. */
export function keptFolders(
  folder: string,
  project: string,
): ProjectFolders & { readonly stateFolder: string } {
  const folders = projectFolders({ folder, project });
  return { ...folders, stateFolder: folders.stateFolder ?? folder };
}

/** The operations that led to the Secret's copy, as far as this machine knows. */
function ancestorsOf(
  stored: StoredHead | undefined,
  local: LocalCopy | undefined,
  text: string | undefined,
): LocalCopy | undefined {
  if (stored === undefined || text === undefined) return undefined;
  const { id, serial, token } = stored.head;
  const at = local?.id === id ? local.operations.findLastIndex((one) => one.token === token) : -1;
  const former = local?.operations.slice(0, Math.max(0, at)) ?? [];
  return { id, operations: [...former, { serial, token }] };
}
