import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../core/clock.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import type { StoredHead } from "../state/cluster-state.ts";
import { KeptCopy, type KeptPlace, keptFolders, type Look } from "./kept-copy.ts";
import { tellChoice, tellKept, unsaved } from "./kept-words.ts";
import type { ExportOptions, OpenStack, OperationResult, Stack, StackOptions } from "./stack.ts";
import type { StackResource } from "./stack-resource.ts";
import { outputsOf, parseState, resourcesOf, writeStateText } from "./state-file.ts";
import type { TakeIn } from "./take-in.ts";

export interface KeptStackOptions extends KeptPlace {
  /** Opens a stack of this machine. */
  readonly open: OpenStack;
  /** @default the system's */
  readonly clock?: Pick<Clock, "now" | "sleep">;
}

/** An operation that has begun, and whether the cluster is to be read into the state first. */
interface Begun {
  readonly begun: StoredHead;
  readonly refresh: boolean;
}

const nothing: OperationResult = { changes: [], same: 0, outputs: {}, durationMs: 0 };

/** How long the API server may be away before a state stays on this machine for now, milliseconds. */
const patienceMs = 30_000;
const pollMs = 1_000;
const beginAttempts = 8;

/**
 * A stack whose state is in the cluster. The CLI works on a copy in a folder of this user: it is fetched before an operation, and kept in the
 * cluster after it, also when that failed. What only looks works on a copy of the copy, and leaves no trace.
 */
export class KeptStack implements Stack {
  readonly #options: StackOptions;
  readonly #kept: KeptStackOptions;
  readonly #copy: KeptCopy;
  readonly #clock: Pick<Clock, "now" | "sleep">;

  constructor(options: StackOptions, kept: KeptStackOptions) {
    this.#options = options;
    this.#kept = kept;
    this.#copy = new KeptCopy(kept, options);
    this.#clock = kept.clock ?? systemClock;
  }

  async preview(): Promise<OperationResult> {
    return await this.#aside((stack) => stack.preview());
  }

  async check(): Promise<readonly StackResource[] | undefined> {
    return await this.#aside((stack) => stack.check());
  }

  async exportState(how: ExportOptions = {}): Promise<string | undefined> {
    return await this.#aside((stack) => stack.exportState(how));
  }

  async resources(): Promise<readonly StackResource[]> {
    const { text } = await this.#copy.look();
    return text === undefined ? [] : resourcesOf(parseState(text));
  }

  async outputs(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { text } = await this.#copy.look();
    return text === undefined ? undefined : outputsOf(parseState(text));
  }

  async up(): Promise<OperationResult> {
    return await this.#operate((stack) => stack.up());
  }

  async refresh(only?: Parameters<Stack["refresh"]>[0]): Promise<OperationResult> {
    return (await this.#operateIfThere((stack) => stack.refresh(only))) ?? nothing;
  }

  /** The stack itself goes with `removeState`. */
  async destroy(): Promise<OperationResult> {
    return (await this.#operateIfThere((stack) => stack.destroy())) ?? nothing;
  }

  async takeIn(taken: TakeIn): Promise<void> {
    await this.#operate((stack) => stack.takeIn(taken));
  }

  async recover(): Promise<void> {
    await this.#operateIfThere((stack) => stack.recover());
  }

  async importState(exported: string): Promise<void> {
    await this.#operate((stack) => stack.importState(exported));
  }

  async removeState(): Promise<boolean> {
    return await this.#copy.remove();
  }

  /** Fetch, work, keep. */
  async #operate<T>(work: (stack: Stack) => Promise<T>): Promise<T> {
    return await this.#work(await this.#begin(await this.#copy.look()), work);
  }

  /** The same; of what is not there nothing is begun. */
  async #operateIfThere<T>(work: (stack: Stack) => Promise<T>): Promise<T | undefined> {
    const look = await this.#copy.look();
    return look.text === undefined ? undefined : await this.#work(await this.#begin(look), work);
  }

  async #work<T>({ begun, refresh }: Begun, work: (stack: Stack) => Promise<T>): Promise<T> {
    const stack = await this.#open(this.#kept.folder, begun.key);
    let stale = refresh;
    try {
      if (stale) await stack.recover();
      stale = false;
      return await work(stack);
    } finally {
      await this.#end(begun, stale);
    }
  }

  async #begin(first: Look): Promise<Begun> {
    const { state } = this.#kept;
    let look = first;
    for (let attempt = 1; ; attempt++) {
      const begun = await this.#copy.begin(look);
      if (begun !== undefined) {
        tellChoice(this.#options.events, state.where, look);
        return { begun, refresh: look.choice.refresh };
      }
      if (attempt === beginAttempts) throw changing(state.where);
      look = await this.#copy.look();
    }
  }

  /** Never throws: what the operation did, or failed at, is the news. */
  async #end(begun: StoredHead, stale: boolean): Promise<void> {
    const { events } = this.#options;
    const { where } = this.#kept.state;
    const deadline = this.#clock.now() + patienceMs;
    for (;;) {
      try {
        tellKept(events, where, await this.#copy.end(begun, stale));
        return;
      } catch (error) {
        const isAway = error instanceof UserError && error.code === "cluster-unreachable";
        if (!isAway || this.#clock.now() >= deadline) {
          events(unsaved(where, this.#kept.folder, error));
          return;
        }
        await this.#clock.sleep(pollMs);
      }
    }
  }

  /** Works on a copy of the valid state: others may be at work on it, also on this machine. */
  async #aside<T>(work: (stack: Stack) => Promise<T>): Promise<T> {
    const { stored, text }: Look = await this.#copy.look();
    const folder = await mkdtemp(join(tmpdir(), "modelswitch-look-"));
    try {
      const { project, stack } = this.#options;
      await writeStateText(keptFolders(folder, project).stateFolder, project, stack, text);
      return await work(await this.#open(folder, stored?.key ?? ""));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #open(folder: string, key: string): Promise<Stack> {
    const { backendUrl: _backend, ...options } = this.#options;
    return await this.#kept.open({ ...options, folder, secrets: { kind: "passphrase", passphrase: key } });
  }
}

function changing(where: string): UserError {
  return new UserError({
    code: "state-contended",
    message: `The Secret ${where}, which holds Pulumi's state, was changed by others ${beginAttempts} times in a row.`,
    hint: "Another command is working on this model: run `modelswitch status`, then try again.",
    exitCode: exitCodes.locked,
  });
}
