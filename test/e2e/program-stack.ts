import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Event } from "../../src/core/events.ts";
import { openStackWith } from "../../src/engine/open.ts";
import type { OperationResult, ResourceChange, Stack, StackOptions } from "../../src/engine/stack.ts";
import type { TestNamespace } from "./test-cluster.ts";

/** A stack of one test as `modelswitch run` has it, with what it told and the state that it keeps. */
export class ProgramStack {
  readonly events: Event[] = [];
  readonly #namespace: TestNamespace;
  readonly #name: string;
  readonly #project: string;
  #stack: Stack | undefined;

  constructor(namespace: TestNamespace, name: string, project = "provider") {
    this.#namespace = namespace;
    this.#name = name;
    this.#project = project;
  }

  /** Opens the stack with another program, or another signal. */
  async with(
    program: () => unknown,
    options: Partial<Pick<StackOptions, "signal" | "env" | "config">> = {},
  ): Promise<this> {
    this.#stack = await openStackWith(
      {
        project: this.#project,
        stack: this.#name,
        folder: this.#namespace.folder,
        secrets: { kind: "passphrase", passphrase: "only for tests" },
        kubeconfig: { path: this.#namespace.kubeconfigPath },
        events: (event) => this.events.push(event),
        signal: new AbortController().signal,
        program: async () => (await program()) as Record<string, unknown> | undefined,
        ...options,
      },
      { endsHopelessWaits: true },
    );
    return this;
  }

  get #open(): Stack {
    if (this.#stack === undefined) throw new Error("The stack has no program yet.");
    return this.#stack;
  }

  up = (): Promise<OperationResult> => this.#open.up();
  preview = (): Promise<OperationResult> => this.#open.preview();
  refresh = (): Promise<OperationResult> => this.#open.refresh();
  destroy = (): Promise<OperationResult> => this.#open.destroy({ remove: true });

  /** The text that the backend keeps. */
  async stateText(): Promise<string> {
    const base = join(this.#namespace.folder, ".modelswitch", "state", ".pulumi", "stacks");
    return await readFile(join(base, this.#project, `${this.#name}.json`), "utf8");
  }

  /** A resource in the state by its name in the program. */
  async resource(name: string): Promise<StoredResource | undefined> {
    const state = JSON.parse(await this.stateText()) as {
      checkpoint: { latest: { resources?: StoredResource[] } };
    };
    return state.checkpoint.latest.resources?.find(({ urn }) => urn.endsWith(`::${name}`));
  }
}

export interface StoredResource {
  readonly urn: string;
  readonly id?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
}

/** `update Deployment`, sorted: what an operation changed. */
export function operations({ changes }: { readonly changes: readonly ResourceChange[] }): readonly string[] {
  return changes.map(({ operation, kind }) => `${operation} ${kind}`).sort();
}

/** The message of an operation that fails. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
  throw new Error("It did not fail.");
}
