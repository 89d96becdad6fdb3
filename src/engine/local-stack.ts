import { rm } from "node:fs/promises";
import { systemClock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { collectRefusals, type Refusal } from "../core/refusals.ts";
import { type AutomationModule, importAutomation, type Operation, runOperation } from "./automation.ts";
import { EngineEvents, type EngineObject, type Observed } from "./engine-events.ts";
import { asStateOf } from "./exported-state.ts";
import { explainFailure, type FailureContext, lockedError, operationTitles } from "./failures.ts";
import { HopelessWaits } from "./hopeless-waits.ts";
import { fixed } from "./kubeconfig.ts";
import { RunRecord, releaseLeftBehind } from "./left-behind.ts";
import { locksInError, readLocks, removeHalfWrittenLocks, type StackLock, thisMachine } from "./locks.ts";
import { withPodReasons } from "./pod-reasons.ts";
import { programFailed } from "./program-errors.ts";
import type { ProviderChoice } from "./provider.ts";
import { PulumiCommandError } from "./pulumi-command.ts";
import { openSession, type Session } from "./session.ts";
import { settlePending } from "./settle.ts";
import type { ExportOptions, OperationResult, Stack, StackOptions } from "./stack.ts";
import { findState, requirePassphrase } from "./stack-check.ts";
import { isStackMissing, StackCli } from "./stack-cli.ts";
import type { StackResource } from "./stack-resource.ts";
import {
  outputsOf,
  parseState,
  readState,
  removeHalfWrittenAttributes,
  resourcesOf,
  urnsOf,
} from "./state-file.ts";
import { type TakeIn, takenIn } from "./take-in.ts";
import {
  attachedProvider,
  type ProjectFolders,
  projectFolders,
  readSettings,
  type StackSettings,
  settingsFile,
  writeSettings,
} from "./workspace.ts";

/** What `modelswitch run` adds to a stack. */
export interface StackInternals {
  /** Contents of the program's own `Pulumi.yaml`. */
  readonly project?: Readonly<Record<string, unknown>>;
  /** Contents of the program's own `Pulumi.STACK.yaml`. */
  readonly settings?: StackSettings;
  /** The Automation API that belongs to the `@pulumi/pulumi` which the program imports. */
  readonly automation?: () => Promise<AutomationModule>;
  /** Ends a run when a Deployment can't become ready any more. @default false: the caller watches its own */
  readonly endsHopelessWaits?: boolean;
}

/** A stack whose operations run in this process and in one start of the Pulumi CLI each. */
export class LocalStack implements Stack {
  readonly #options: StackOptions;
  readonly #internals: StackInternals;
  readonly #folders: ProjectFolders;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(options: StackOptions, internals: StackInternals) {
    this.#options = options;
    this.#internals = internals;
    this.#env = options.env ?? process.env;
    this.#folders = projectFolders(options);
  }

  async preview(): Promise<OperationResult> {
    return await this.#operate("preview");
  }

  async up(): Promise<OperationResult> {
    return await this.#operate("up");
  }

  async refresh(only?: readonly Pick<StackResource, "kind" | "id">[]): Promise<OperationResult> {
    return only === undefined ? await this.#operate("refresh") : await this.#refreshOnly(only);
  }

  async destroy(options: { readonly remove?: boolean } = {}): Promise<OperationResult> {
    const result = await this.#operate("destroy");
    if (options.remove === true) await this.#removeStack();
    return result;
  }

  async resources(): Promise<readonly StackResource[]> {
    const { stateFolder } = this.#folders;
    const { project, stack } = this.#options;
    if (stateFolder !== undefined) return resourcesOf(await readState(stateFolder, project, stack));
    return await this.#withSession("preview", async ({ cli }) => {
      try {
        return resourcesOf(parseState(await cli.exportState()));
      } catch (error) {
        if (isStackMissing(error)) return [];
        throw error;
      }
    });
  }

  async outputs(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { stateFolder } = this.#folders;
    const { project, stack } = this.#options;
    if (stateFolder !== undefined) {
      const state = await readState(stateFolder, project, stack);
      return state === undefined ? undefined : outputsOf(state);
    }
    return await this.#withSession("preview", (session) => session.cli.outputs());
  }

  async check(): Promise<readonly StackResource[] | undefined> {
    return await this.#withSession("preview", async ({ cli }) => {
      const state = await findState(this.#folders, this.#options, cli);
      if (state === undefined) return undefined;
      await requirePassphrase(this.#folders, this.#options, state);
      return resourcesOf(state);
    });
  }

  async recover(): Promise<void> {
    await this.#withSession("refresh", async (session) => {
      await this.#settle("refresh", session);
      await this.#refreshBut(session);
    });
  }

  async exportState(how: ExportOptions = {}): Promise<string | undefined> {
    return await this.#withSession("preview", async (session) => {
      const { cli } = session;
      if (how.settled === true) await this.#settle("refresh", session);
      const state = await findState(this.#folders, this.#options, cli);
      if (state === undefined) return undefined;
      await requirePassphrase(this.#folders, this.#options, state);
      return await cli.exportState(how);
    });
  }

  async importState(exported: string): Promise<void> {
    await this.#withSession("refresh", async (session) => {
      const { cli } = session;
      if ((await findState(this.#folders, this.#options, cli)) === undefined) await this.#create(cli);
      await this.#settle("refresh", session);
      await cli.importState(asStateOf(this.#options, exported, await cli.exportState()));
    });
  }

  async removeState(): Promise<boolean> {
    return await Promise.resolve(false);
  }

  async takeIn(taken: TakeIn): Promise<void> {
    await this.#withSession("refresh", async (session) => {
      const { cli } = session;
      if ((await findState(this.#folders, this.#options, cli)) === undefined) await this.#create(cli);
      await this.#settle("up", session);
      const { state, urns } = takenIn(await cli.exportState(), this.#options, taken);
      if (urns.length === 0) return;
      await cli.importState(state);
      await cli.refreshOnly(urns);
    });
  }

  async #refreshOnly(only: readonly Pick<StackResource, "kind" | "id">[]): Promise<OperationResult> {
    const startedAt = performance.now();
    return await this.#withSession("refresh", async (session) => {
      await this.#settle("refresh", session);
      const state = await findState(this.#folders, this.#options, session.cli);
      const urns = state === undefined ? [] : urnsOf(state, only);
      if (urns.length > 0) await session.cli.refreshOnly(urns);
      const durationMs = Math.round(performance.now() - startedAt);
      return { changes: [], same: 0, outputs: {}, durationMs };
    });
  }

  async #operate(operation: Operation): Promise<OperationResult> {
    const startedAt = performance.now();
    return await this.#withSession(operation, async (session) => {
      if (operation !== "preview") await this.#settle(operation, session);
      const observed = await this.#attempt(operation, session);
      return {
        changes: observed.changes,
        same: observed.same,
        outputs: operation === "destroy" ? {} : observed.outputs,
        durationMs: Math.round(performance.now() - startedAt),
      };
    });
  }

  async #withSession<T>(operation: Operation, work: (session: OpenStackSession) => Promise<T>): Promise<T> {
    const { project, stack, secrets, kubeconfig, events, signal } = this.#options;
    const { workFolder, stateFolder } = this.#folders;
    await this.#writeSettings();
    if (stateFolder !== undefined) await removeHalfWrittenAttributes(stateFolder, project, stack);
    const record = new RunRecord(workFolder, stack);
    const hopeless = new AbortController();
    const ends = AbortSignal.any([signal, hopeless.signal]);
    const session = await openSession({
      folders: this.#folders,
      kubeconfig,
      secrets,
      env: this.#env,
      events,
      signal: ends,
      onProcess: record.note,
    });
    const cli = new StackCli(session.command, workFolder, stack);
    try {
      await this.#writeSettings(session.provider);
      await this.#writeSecretConfig(cli);
      return await work({ ...session, cli, record, ends, giveUp: () => hopeless.abort() });
    } catch (error) {
      throw this.#explain(operation, error, nothingObserved);
    } finally {
      await session.close();
    }
  }

  /** One operation, again after what stood in its way has been cleared. */
  async #attempt(operation: Operation, session: OpenStackSession): Promise<Observed> {
    const { events, signal } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let refused: ((what: string) => UserError) | undefined;
      const onRefused = (error: (what: string) => UserError) => {
        refused ??= error;
        session.giveUp();
      };
      const planning = operation === "preview";
      const hopeless = this.#internals.endsHopelessWaits
        ? new HopelessWaits((one, ended) => this.#lookAt(one, ended, "when-hopeless"), session.giveUp)
        : undefined;
      const observer = new EngineEvents({
        events,
        planning,
        signal: session.ends,
        onRefused,
        waits: hopeless,
      });
      const thrown: { error?: unknown } = {};
      const collected = collectRefusals();
      try {
        const automation = await (this.#internals.automation ?? importAutomation)();
        const { workFolder } = this.#folders;
        const about = { ...this.#options, workFolder, env: this.#env, session, observer, thrown };
        await runOperation(automation, operation, about);
        return observer.observed;
      } catch (error) {
        if (refused !== undefined && !signal.aborted) {
          throw refused(this.#about(operation));
        }
        const given = signal.aborted ? undefined : hopeless?.error(this.#about(operation));
        if (given !== undefined) throw given;
        if (thrown.error !== undefined && !signal.aborted) throw programFailed(thrown.error);
        if (attempt < 4 && isStackMissing(error)) {
          if (operation === "refresh" || operation === "destroy") return nothingObserved;
          await this.#create(session.cli);
          continue;
        }
        const locks = error instanceof PulumiCommandError ? locksInError(error.output.stderr) : undefined;
        if (locks === undefined) {
          const observed = signal.aborted ? observer.observed : await this.#withPods(observer.observed);
          throw this.#explain(operation, error, observed, collected.refusals);
        }
        if (attempt === 4) throw lockedError(locks, this.#context(operation), Date.now());
        await this.#releaseLocks(locks, session, operation);
      } finally {
        collected.stop();
        hopeless?.close();
      }
    }
  }

  async #removeStack(): Promise<void> {
    await this.#withSession("destroy", (session) => session.cli.remove());
    await rm(settingsFile(this.#folders, this.#options.stack), { force: true });
  }

  async #releaseLocks(
    locks: readonly StackLock[],
    { cli, record }: OpenStackSession,
    operation: Operation,
  ): Promise<void> {
    const { events, signal } = this.#options;
    const isFileBackend = this.#folders.stateFolder !== undefined;
    const isFree = await releaseLeftBehind(locks, {
      events,
      signal,
      isFileBackend,
      record,
      cancel: () => cli.cancel(),
    });
    if (!isFree) throw lockedError(locks, this.#context(operation), Date.now());
  }

  /** Puts in order what a killed run left. Its lock goes first: what is unfinished under a live run's lock is that run's. */
  async #settle(operation: Operation, session: OpenStackSession): Promise<void> {
    const { events, project, stack } = this.#options;
    const { stateFolder } = this.#folders;
    const killed = session.record.leftBehind(thisMachine);
    if (stateFolder === undefined) {
      // Looking costs a download of the state: only where a command of this machine is known to have been killed.
      if (killed.length > 0) await settlePending(session.cli, events);
    } else {
      const broken = await removeHalfWrittenLocks(stateFolder, project, stack, (ms) => systemClock.sleep(ms));
      if (broken > 0) {
        events({
          type: "info",
          message: "A lock on the stack that was never written to its end is removed.",
        });
      }
      const locks = await readLocks(stateFolder, project, stack);
      if (locks.length > 0) await this.#releaseLocks(locks, session, operation);
      const state = await readState(stateFolder, project, stack);
      if (state !== undefined && state.pending.length > 0) await settlePending(session.cli, events);
    }
    // Its CLI may have come to an orderly end without knowing what the provider had already written.
    if (killed.length > 0 && operation === "up") await this.#refreshBut(session);
    for (const cli of killed) session.record.forget(cli);
  }

  async #refreshBut(session: OpenStackSession): Promise<void> {
    const left = new Set((await this.#options.leaves?.())?.map(({ kind, id }) => `${kind} ${id}`));
    if (left.size === 0) {
      await this.#attempt("refresh", session);
      return;
    }
    const state = await findState(this.#folders, this.#options, session.cli);
    const others = resourcesOf(state).filter(({ kind, id }) => !left.has(`${kind} ${id}`));
    if (state !== undefined && others.length > 0) await session.cli.refreshOnly(urnsOf(state, others));
  }

  /** Without a provider the one that the project file names stays: another command may be about to use it. */
  async #writeSettings(provider?: ProviderChoice): Promise<void> {
    const { project, stack, config = {}, secrets } = this.#options;
    const left = await readSettings(settingsFile(this.#folders, stack));
    const own = this.#internals.settings ?? {};
    const plain = Object.entries(config).filter(([, { secret }]) => secret !== true);
    // Ciphertexts stay until `#writeSecretConfig` has compared what they hold.
    const kept = Object.entries(left.config ?? {}).filter(([key]) => config[key]?.secret === true);
    const { config: _left, ...keys } = left;
    await writeSettings({
      folders: this.#folders,
      project: { ...this.#internals.project, name: project },
      stack,
      providerFolder: provider === undefined ? await attachedProvider(this.#folders) : provider.folder,
      settings: {
        ...keys,
        ...own,
        ...(secrets.kind === "provider" && secrets.url !== "default" ? { secretsprovider: secrets.url } : {}),
        config: {
          ...own.config,
          ...Object.fromEntries(kept),
          ...Object.fromEntries(plain.map(([key, { value }]) => [key, value])),
        },
      },
    });
  }

  /** Makes the stack anew. Generated settings that are still there are a former one's, with the salt of its passphrase. */
  async #create(cli: StackCli): Promise<void> {
    await rm(settingsFile(this.#folders, this.#options.stack), { force: true });
    await this.#writeSettings();
    await cli.create(this.#options.secrets);
  }

  async #writeSecretConfig(cli: StackCli): Promise<void> {
    const entries = Object.entries(this.#options.config ?? {}).filter(([, value]) => value.secret === true);
    if (entries.length === 0) return;
    const secrets = Object.fromEntries(entries);
    try {
      await cli.setSecrets(secrets);
    } catch (error) {
      if (!isStackMissing(error)) throw error;
      await this.#create(cli);
      await cli.setSecrets(secrets);
    }
  }

  #context(operation: Operation): FailureContext {
    const { project, stack, signal } = this.#options;
    return {
      project,
      stack,
      backendUrl: this.#folders.backendUrl,
      operation: operationTitles[operation],
      aborted: signal.aborted,
    };
  }

  #about(operation: Operation): string {
    return `${operationTitles[operation]} of stack ${this.#options.stack}`;
  }

  /** Asks the cluster why the pods of Deployments that were waited for in vain are not ready. */
  async #withPods(observed: Observed): Promise<Observed> {
    const until = () => AbortSignal.any([this.#options.signal, AbortSignal.timeout(lookMs)]);
    return await withPodReasons(observed, (deployment) => this.#lookAt(deployment, until(), "now"));
  }

  /** Why a Deployment is not ready, or, when that is so, why it can't become so. */
  async #lookAt(
    { namespace, name, uid, secretPaths }: EngineObject,
    signal: AbortSignal,
    when: "now" | "when-hopeless",
  ): Promise<readonly string[]> {
    const [{ connect }, { whenHopeless, whyUnready }] = await Promise.all([
      import("../kubernetes/connect.ts"),
      import("../slots/why-unready.ts"),
    ]);
    const cluster = connect(fixed(this.#options.kubeconfig, this.#env));
    const place = {
      api: cluster.api,
      namespace: namespace ?? cluster.namespace,
      name,
      uid,
      secretPaths,
      signal,
    };
    return when === "now" ? await whyUnready(place) : await whenHopeless(place, systemClock);
  }

  #explain(
    operation: Operation,
    error: unknown,
    observed: Observed,
    refusals: readonly Refusal[] = [],
  ): unknown {
    if (error instanceof UserError) return error;
    const context = { ...this.#context(operation), refusals };
    if (error instanceof PulumiCommandError) return explainFailure(error.output, observed, context);
    return context.aborted ? explainFailure(nothingSaid, observed, context) : error;
  }
}

/** How long an API server may take to say why pods are not ready. */
const lookMs = 10_000;

/** A session on this stack. */
interface OpenStackSession extends Session {
  readonly cli: StackCli;
  readonly record: RunRecord;
  /** What ends a run: the user, or `giveUp`. */
  readonly ends: AbortSignal;
  giveUp(): void;
}

const nothingSaid = { stdout: "", stderr: "", code: -1 };

const nothingObserved: Observed = {
  changes: [],
  same: 0,
  outputs: {},
  diagnostics: [],
  failed: [],
  ended: false,
};
