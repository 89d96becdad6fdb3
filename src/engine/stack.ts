import type { EventSink } from "../core/events.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import type { StackResource } from "./stack-resource.ts";
import type { TakeIn } from "./take-in.ts";

/** A Pulumi program: returns the stack's outputs. */
export type Program = () => Promise<Record<string, unknown> | undefined>;

/** Encryption of secrets in the stack's state. */
export type SecretsSource =
  | { readonly kind: "passphrase"; readonly passphrase: string }
  /** A Pulumi secrets provider, for example `awskms://…`; `default` is the backend's own. */
  | { readonly kind: "provider"; readonly url: string };

export interface StackOptions {
  readonly project: string;
  readonly stack: string;
  /** Folder of the project; the default file backend lives in `.modelswitch/state` below it. */
  readonly folder: string;
  /** Any Pulumi backend URL. @default `file://FOLDER/.modelswitch/state` */
  readonly backendUrl?: string;
  readonly secrets: SecretsSource;
  readonly program: Program;
  /** Stack configuration, keys with namespace, for example `kubernetes:kubeconfig`. */
  readonly config?: Readonly<Record<string, { readonly value: string; readonly secret?: boolean }>>;
  /**
   * Objects that are not read into the state when what a killed run left is put in order: what somebody changed of them by hand would be
   * put back by the next update. @default none
   */
  readonly leaves?: () => Promise<readonly Pick<StackResource, "kind" | "id">[]>;
  /** The cluster that the ambient Kubernetes provider uses. */
  readonly kubeconfig: KubeconfigSource;
  /** Receives `resource` events and steps (locating or building the CLI). */
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** Environment of the CLI and of the choice of the provider. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ResourceChange {
  readonly operation: "create" | "update" | "replace" | "delete" | "read";
  readonly urn: string;
  /** Kubernetes kind or Pulumi type, for example `Ingress`. */
  readonly kind: string;
  readonly name: string;
  /** One entry per property that differs. Secret values are `[secret]`. */
  readonly properties: readonly {
    readonly path: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }[];
}

export interface OperationResult {
  readonly changes: readonly ResourceChange[];
  /** Number of resources that did not change. */
  readonly same: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly durationMs: number;
}

export interface ExportOptions {
  /** Secrets in clear. @default false */
  readonly showSecrets?: boolean;
  /** What a killed run left is put in order first. @default false */
  readonly settled?: boolean;
}

/**
 * One Pulumi stack. Every operation starts the Pulumi CLI, which starts Pulumi's Kubernetes provider, and ends both. A lock left by a killed run of this machine is recognised and cleared; a lock of a live run is the
 * error `stack-locked` (exit code 4) naming who and since when.
 */
export interface Stack {
  preview(): Promise<OperationResult>;
  up(): Promise<OperationResult>;
  /** Brings the state up to the cluster: all of it, or what it holds of these objects. */
  refresh(only?: readonly Pick<StackResource, "kind" | "id">[]): Promise<OperationResult>;
  /** Deletes all resources, and the stack itself with `remove`. */
  destroy(options?: { readonly remove?: boolean }): Promise<OperationResult>;
  /** What the state holds of the cluster. Starts no program. */
  resources(): Promise<readonly StackResource[]>;
  /**
   * Looks for everything that an operation needs (the CLI, a provider, the backend, the right passphrase), and what the state holds;
   * `undefined`: there is no such stack. Changes neither state nor cluster.
   * @throws UserError `passphrase-wrong`, `backend-unusable`, `provider-unavailable`, …
   */
  check(): Promise<readonly StackResource[] | undefined>;
  /** Makes objects of the cluster resources of the stack as they are; the stack is made where it is missing. */
  takeIn(taken: TakeIn): Promise<void>;
  /**
   * Reads the cluster into the state, after an operation that was never ended and whose own state is lost. What `leaves` names stays as the
   * state has it.
   */
  recover(): Promise<void>;
  /** The state as `pulumi stack export` prints it; `undefined` when the stack does not exist. */
  exportState(options?: ExportOptions): Promise<string | undefined>;
  /**
   * Makes an exported state the stack's; the stack is made where it is missing. Secrets in it are in clear, or encrypted with the stack's key.
   * @throws UserError `state-key-other`, `state-file-invalid` (exit code 2)
   */
  importState(exported: string): Promise<void>;
  /** Removes what is kept of the stack, after `destroy`, where that is in the cluster. Returns whether there was anything. */
  removeState(): Promise<boolean>;
  /** Last outputs in the state; `undefined` when the stack does not exist. Starts no program. */
  outputs(): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** What `src/engine/open.ts` exports as `openStack`. */
export type OpenStack = (options: StackOptions) => Promise<Stack>;
