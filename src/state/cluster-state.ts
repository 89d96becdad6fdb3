import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import { isFields } from "../core/fields.ts";
import { unstoppable } from "../core/unstoppable.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { fieldOwners } from "../kubernetes/managed-fields.ts";
import { type Head, parseHead, type SavedState, unreadable } from "./head.ts";
import { type StackId, type StateNames, type StateSet, stateNames, stateSets } from "./names.ts";
import { digestOf, pack, unpack } from "./parts.ts";
import { type SecretObject, Secrets, stateManager } from "./secrets-api.ts";

/** The head Secret as it was read. */
export interface StoredHead {
  readonly head: Head;
  /** Passphrase of the secrets in the state: 32 random bytes, base64. */
  readonly key: string;
  readonly resourceVersion: string;
  /** Somebody else than modelswitch wrote it last, or made it anew. */
  readonly isForeign: boolean;
}

/** A state in the cluster, as those who use it see it. */
export type StateStore = Pick<ClusterState, "where" | "load" | "text" | "begin" | "end" | "remove">;

/** What became of a state that was to be kept. */
export type Kept =
  | { readonly kind: "kept"; readonly stored: StoredHead }
  /** Somebody had deleted or rolled back the Secrets meanwhile: they are as they should be again. */
  | { readonly kind: "restored"; readonly stored: StoredHead }
  /** Somebody else has begun an operation meanwhile: theirs counts. */
  | { readonly kind: "taken"; readonly by: Head };

export interface ClusterStateOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly model: string;
  readonly id: StackId;
  /** Who works, `user@host`. */
  readonly by: string;
  readonly clock: Pick<Clock, "now">;
}

const keyBytes = 32;
const maxAttempts = 8;

/** The state of one Pulumi stack in Secrets beside the model. */
export class ClusterState {
  readonly names: StateNames;
  readonly #secrets: Secrets;
  readonly #options: ClusterStateOptions;

  constructor(options: ClusterStateOptions) {
    this.#options = options;
    this.names = stateNames(options.model, options.id);
    this.#secrets = new Secrets(options.api, options.namespace, options.model);
  }

  /** Namespace and name of the head Secret, for messages. */
  get where(): string {
    return this.#secrets.where(this.names.head);
  }

  /**
   * What the head Secret says; `undefined`: there is none.
   * @throws UserError `state-unreadable`, `state-version`; KubernetesApiError where it may not be read
   */
  async load(signal?: AbortSignal): Promise<StoredHead | undefined> {
    const secret = await this.#secrets.find(this.names.head, signal);
    return secret === undefined ? undefined : this.#stored(secret);
  }

  /** The state that the head names; `undefined` where its parts are missing, or others. */
  async text({ saved }: Head): Promise<string | undefined> {
    if (saved === undefined) return undefined;
    const names = this.names.parts[saved.set].slice(0, saved.parts);
    const found = await Promise.all(names.map((name) => this.#secrets.find(name)));
    const parts = found.flatMap((secret) =>
      secret?.data?.part === undefined ? [] : [Buffer.from(secret.data.part, "base64")],
    );
    return parts.length === saved.parts ? await unpack(parts, saved.sha256) : undefined;
  }

  /**
   * Notes that an operation begins. The key is made with the first one.
   * @returns the head now; `undefined`: it is not any more what was read
   */
  async begin(stored: StoredHead | undefined, stale: boolean): Promise<StoredHead | undefined> {
    const { id } = this.#options;
    const now = { token: randomUUID(), open: true, stale, ...this.#signature() };
    if (stored === undefined) {
      const head: Head = { version: 1, id: randomUUID(), ...id, serial: 1, ...now };
      return await this.#writeHead(head, randomBytes(keyBytes).toString("base64"), undefined);
    }
    const head: Head = { ...stored.head, serial: stored.head.serial + 1, ...now };
    return await this.#writeHead(head, stored.key, stored.resourceVersion);
  }

  /**
   * Keeps what an operation has left: the parts first, then the head that names them. A text of `undefined` leaves the state as it was.
   * `stale`: the cluster was not read into it although it should have been.
   * @throws UserError `state-too-large`, `state-contended`
   */
  async end(begun: StoredHead, text: string | undefined, stale: boolean): Promise<Kept> {
    let kind: "kept" | "restored" = "kept";
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      // What was begun is ended although the user stops the command.
      const present = await this.load(unstoppable);
      const isOurs = present?.head.token === begun.head.token;
      if (present !== undefined && !isOurs && present.head.serial >= begun.head.serial)
        return { kind: "taken", by: present.head };
      if (!isOurs) kind = "restored";
      // What somebody deleted, or put back, says nothing of the parts either.
      const before = isOurs ? present?.head.saved : undefined;
      const saved = text === undefined ? begun.head.saved : await this.#save(begun.head, before, text);
      if (saved === "changed") continue;
      const { saved: _saved, uid: _uid, ...rest } = begun.head;
      const uid = present?.head.uid;
      const head: Head = {
        ...{ ...rest, open: false, stale },
        ...(saved === undefined ? {} : { saved }),
        ...(uid === undefined ? {} : { uid }),
      };
      const stored = await this.#writeHead(head, begun.key, present?.resourceVersion);
      if (stored !== undefined) return { kind, stored };
    }
    throw contended(this.where);
  }

  /** Deletes everything: the head last, so that what is left of a deletion that was killed is found. Returns whether there was anything. */
  async remove(): Promise<boolean> {
    if ((await this.#secrets.find(this.names.head)) === undefined) return false;
    // Not all of them need be there, nor the first ones: a deletion may have been killed.
    for (const set of stateSets)
      await Promise.all(this.names.parts[set].map((name) => this.#secrets.delete(name)));
    return await this.#secrets.delete(this.names.head);
  }

  /** Writes the text into the set that is not valid. `"changed"`: the head is not any more what it was. */
  async #save(begun: Head, valid: SavedState | undefined, text: string): Promise<SavedState | "changed"> {
    const sha256 = digestOf(text);
    if (valid?.sha256 === sha256) return valid;
    const packed = await pack(text);
    const set: StateSet = valid?.set === "a" ? "b" : "a";
    for (const [index, part] of packed.parts.entries()) {
      const name = this.names.parts[set][index] ?? "";
      const is = await this.#secrets.findMetadata(name);
      // A command that lost its lock, and does not know yet, must not write over whoever took over: theirs is newer than what was read.
      const newer = (await this.load(unstoppable))?.head;
      if (newer !== undefined && newer.token !== begun.token && newer.serial >= begun.serial)
        return "changed";
      const resourceVersion = is?.metadata?.resourceVersion;
      if ((await this.#secrets.write(name, { part }, resourceVersion)) === undefined) return "changed";
    }
    const { by, at } = this.#signature();
    const packedBytes = packed.parts.reduce((sum, part) => sum + part.length, 0);
    const parts = packed.parts.length;
    return { set, parts, sha256, bytes: packed.bytes, packedBytes, serial: begun.serial, by, at };
  }

  async #writeHead(
    head: Head,
    key: string,
    resourceVersion: string | undefined,
  ): Promise<StoredHead | undefined> {
    const data = { head: Buffer.from(JSON.stringify(head)), key: Buffer.from(key) };
    const secret = await this.#secrets.write(this.names.head, data, resourceVersion);
    return secret === undefined ? undefined : this.#stored(secret);
  }

  #stored(secret: SecretObject): StoredHead {
    const { data = {}, metadata = {} } = secret;
    const decoded = (name: string) =>
      data[name] === undefined ? undefined : Buffer.from(data[name], "base64").toString("utf8");
    const head = parseHead(decoded("head"), this.where);
    const key = decoded("key");
    if (key === undefined || key === "") throw unreadable(this.where, "it has no key");
    const { uid } = metadata;
    const isAnother = uid !== undefined && head.uid !== undefined && uid !== head.uid;
    return {
      head: uid === undefined ? head : { ...head, uid },
      key,
      resourceVersion: metadata.resourceVersion ?? "",
      isForeign: isAnother || isWrittenByOthers(secret),
    };
  }

  #signature(): Pick<Head, "by" | "at"> {
    const { by, clock } = this.#options;
    return { by, at: new Date(clock.now()).toISOString() };
  }
}

/** Whether somebody else owns what the head Secret says. Labels and annotations may be anybody's. */
function isWrittenByOthers(secret: SecretObject): boolean {
  return fieldOwners(secret).some(({ manager, fields }) => {
    const data = fields["f:data"];
    return manager !== stateManager && isFields(data) && "f:head" in data;
  });
}

function contended(where: string): UserError {
  return new UserError({
    code: "state-contended",
    message: `The Secret ${where}, which holds Pulumi's state, was changed by others ${maxAttempts} times in a row.`,
    hint: "Another command is working on this model: run `modelswitch status`, then try again.",
    exitCode: exitCodes.locked,
  });
}
