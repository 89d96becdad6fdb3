import type { Clock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import type { Connection, KubeconfigSource } from "../kubernetes/connect.ts";
import { type Autonaming, type CheckResult, checkInputs } from "./check.ts";
import { toObject } from "./checkpoint.ts";
import { ObjectClient } from "./client.ts";
import { Confidential, confidentialError, confidentialLog } from "./confidential.ts";
import { type CreateRequest, type CreateResult, createObject } from "./create.ts";
import { type DeleteRequest, deleteObject } from "./delete.ts";
import { diffObject, type ObjectDiff } from "./diff.ts";
import { messageWithHint } from "./errors.ts";
import type { ResourceLog } from "./host.ts";
import { sourceOf } from "./kubeconfig.ts";
import { text } from "./objects.ts";
import { type ReadRequest, type ReadResult, readObject } from "./read.ts";
import { replaceUnready } from "./replace-unready.ts";
import type { Session } from "./session.ts";
import { parseSettings, type Settings } from "./settings.ts";
import type { PropertyMap } from "./struct.ts";
import { type GroupVersionKind, gvkOf, parseToken, typeOfUrn } from "./tokens.ts";
import { type UpdateRequest, updateObject } from "./update.ts";

export interface ProviderOptions {
  /** The cluster of providers that name none. */
  readonly ambient: KubeconfigSource;
  readonly connect: (source: KubeconfigSource) => Promise<Connection>;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** When the run began that was killed before this one, milliseconds since the Unix epoch. @default none was */
  readonly killedSince?: () => number | undefined;
}

/** One provider of a program: what the engine configures once and then asks about resources. */
export class Provider {
  readonly #options: ProviderOptions;
  #cancel = new AbortController();
  #settings: Settings | undefined;
  #connection: Promise<{ readonly client: ObjectClient; readonly namespace: string }> | undefined;
  #log: ResourceLog;
  readonly #confidential = new Confidential();

  constructor(options: ProviderOptions, log: ResourceLog) {
    this.#options = options;
    this.#log = log;
  }

  set log(log: ResourceLog) {
    this.#log = log;
  }

  configure(variables: ReadonlyMap<string, string>): void {
    this.#settings = parseSettings(variables, this.#options.environment);
    this.#connection = undefined;
    this.#cancel = new AbortController();
  }

  /** Stops all waits and requests; nothing is undone. */
  cancel(): void {
    this.#cancel.abort();
  }

  async check(request: {
    readonly urn: string;
    readonly olds: PropertyMap;
    readonly news: PropertyMap;
    readonly randomSeed: Uint8Array;
    readonly autonaming: Autonaming;
  }): Promise<CheckResult> {
    const gvk = supported(request.urn);
    const object = toObject(request.news);
    if (gvk.kind === `${text(object, "kind")}Patch`)
      throw unsupported(`Patch resources (${typeOfUrn(request.urn)})`);
    return this.#guard([request.news, request.olds], async (session) => {
      if (await this.#isSkipped(session, request.urn, request.olds)) {
        return { ok: true, inputs: request.olds };
      }
      return checkInputs({
        ...request,
        defaultNamespace: (await this.#isNamespaced(session, gvk)) ? session.defaultNamespace : undefined,
        label: session.settings.serverSideApply ? "none" : "managed-by",
      });
    });
  }

  async diff(request: {
    readonly urn: string;
    readonly olds: PropertyMap;
    readonly news: PropertyMap;
    readonly ignoreChanges: readonly string[];
  }): Promise<ObjectDiff> {
    const gvk = supported(request.urn);
    return this.#guard([request.news, request.olds], async (session) => {
      const diff = diffObject({
        ...request,
        namespaced: await this.#isNamespaced(session, gvkOf(text(request.news, "apiVersion"), gvk.kind)),
        mutability: session.settings,
      });
      return replaceUnready(session, request, diff);
    });
  }

  async create(request: CreateRequest): Promise<CreateResult> {
    supported(request.urn);
    return this.#guard([request.inputs], (session) => createObject(session, request));
  }

  async update(request: UpdateRequest): Promise<PropertyMap> {
    supported(request.urn);
    return this.#guard([request.news, request.olds], (session) => updateObject(session, request));
  }

  /** `undefined` when the object doesn't exist. */
  async read(request: Omit<ReadRequest, "gvk">): Promise<ReadResult | undefined> {
    const gvk = supported(request.urn);
    const settings = this.#settings;
    try {
      return await this.#guard([request.state, request.inputs], (session) =>
        readObject(session, { ...request, gvk }),
      );
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (settings?.deleteUnreachable === true) {
        this.#log.log(
          "warning",
          request.urn,
          "The cluster can't be reached; dropped from the state (deleteUnreachable).",
        );
        return undefined;
      }
      if (settings?.skipUpdateUnreachable === true) {
        this.#log.log("warning", request.urn, "The cluster can't be reached; the state stays as it was.");
        return { id: request.id, state: request.state, inputs: request.inputs };
      }
      throw unreachableHint(error);
    }
  }

  async delete(request: Omit<DeleteRequest, "gvk">): Promise<void> {
    const gvk = supported(request.urn);
    const settings = this.#settings;
    try {
      await this.#guard([request.state], (session) => deleteObject(session, { ...request, gvk }));
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (settings?.deleteUnreachable !== true) throw unreachableHint(error);
      this.#log.log(
        "warning",
        request.urn,
        "The cluster can't be reached; dropped from the state (deleteUnreachable).",
      );
    }
  }

  /** Runs work with the configured cluster, and takes every known secret out of what it says. */
  async #guard<T>(secretsIn: readonly PropertyMap[], work: (session: Session) => Promise<T>): Promise<T> {
    const secrets = this.#confidential.learn(...secretsIn);
    try {
      const session = await this.#session();
      return await work({ ...session, log: confidentialLog(session.log, secrets) });
    } catch (error) {
      throw confidentialError(error, secrets);
    }
  }

  async #session(): Promise<Session> {
    const settings = this.#settings;
    if (settings === undefined)
      throw new Error("The Kubernetes provider was asked before it was configured.");
    this.#connection ??= this.#open(settings);
    const { client, namespace } = await this.#connection;
    return {
      client,
      settings,
      defaultNamespace: settings.namespace ?? namespace,
      log: this.#log,
      clock: this.#options.clock,
      signal: AbortSignal.any([this.#options.signal, this.#cancel.signal]),
      killedSince: this.#options.killedSince?.(),
    };
  }

  async #open(settings: Settings): Promise<{ client: ObjectClient; namespace: string }> {
    const { api, namespace } = await this.#options.connect(
      sourceOf(settings, this.#options.ambient, this.#options.environment),
    );
    return { client: new ObjectClient(api), namespace };
  }

  /** `skipUpdateUnreachable`: what is in a cluster that can't be reached stays as it is. */
  async #isSkipped(session: Session, urn: string, olds: PropertyMap): Promise<boolean> {
    if (!session.settings.skipUpdateUnreachable || Object.keys(olds).length === 0) return false;
    try {
      await session.client.api.request({ method: "GET", path: "/version", signal: session.signal });
      return false;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      session.log.log("warning", urn, "The cluster can't be reached; not updated (skipUpdateUnreachable).");
      return true;
    }
  }

  /** A cluster that can't be reached just now must not stop a plan; what follows says it clearly enough. */
  async #isNamespaced(session: Session, gvk: GroupVersionKind): Promise<boolean> {
    try {
      return await session.client.isNamespaced(gvk, session.signal);
    } catch (error) {
      if (isUnreachable(error)) return true;
      throw error;
    }
  }
}

function supported(urn: string): GroupVersionKind {
  const token = parseToken(typeOfUrn(urn));
  if (!token.supported) throw unsupported(token.what);
  return token.gvk;
}

/** The error for everything that only the official provider does. */
export function unsupported(what: string): UserError {
  return new UserError({
    code: "provider-unsupported",
    message: `The embedded Kubernetes provider does not support ${what}.`,
    hint: "Install the official one with `pulumi plugin install resource kubernetes`; it is used wherever it is found.",
  });
}

function isUnreachable(error: unknown): boolean {
  return error instanceof UserError && error.code === "cluster-unreachable";
}

function unreachableHint(error: unknown): Error {
  return new Error(
    `${messageWithHint(error)} If the cluster no longer exists, set the environment variable ` +
      "PULUMI_K8S_DELETE_UNREACHABLE=true (or the provider's deleteUnreachable) to drop its objects from the state.",
  );
}
