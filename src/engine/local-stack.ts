import { systemClock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { collectRefusals, type Refusal } from "../core/refusals.ts";
import { type AutomationModule, importAutomation, type Operation, runOperation } from "./automation.ts";
import { EngineEvents, type Observed } from "./engine-events.ts";
import { asStateOf } from "./exported-state.ts";
import { explainFailure, type FailureContext, lockedError, operationTitles } from "./failures.ts";
import { HopelessWaits } from "./hopeless-waits.ts";
import { fixed } from "./kubeconfig.ts";
import { RunRecord, releaseLeftBehind } from "./left-behind.ts";
import { locksInError, readLocks, removeHalfWrittenLocks, type StackLock, thisMachine } from "./locks.ts";
import { PodLooks } from "./pod-looks.ts";
import { programFailed } from "./program-errors.ts";
import { PulumiCommandError } from "./pulumi-command.ts";
import { openSession, type Session } from "./session.ts";
import { settlePending } from "./settle.ts";
import type { ExportOptions, OperationResult, Stack, StackOptions } from "./stack.ts";
import { findState, requirePassphrase } from "./stack-check.ts";
import { isStackMissing, StackCli } from "./stack-cli.ts";
import type { StackResource } from "./stack-resource.ts";
import { type OwnSettings, SettingsOfStack } from "./stack-settings.ts";
import {
  outputsOf,
  parseState,
  readState,
  removeHalfWrittenAttributes,
  resourcesOf,
  urnsOf,
} from "./state-file.ts";
import { type TakeIn, takenIn } from "./take-in.ts";
import { type ProjectFolders, projectFolders } from "./workspace.ts";

/** What `modelswitch run` adds to a stack. */
export interface StackInternals extends OwnSettings {
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
  readonly #settings: SettingsOfStack;
  readonly #pods: PodLooks;

  constructor(options: StackOptions, internals: StackInternals) {
    this.#options = options;
    this.#internals = internals;
    this.#env = options.env ?? process.env;
    this.#folders = projectFolders(options);
    this.#settings = new SettingsOfStack(options, this.#folders, internals);
    this.#pods = new PodLooks(() => fixed(options.kubeconfig, this.#env));
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
      if ((await findState(this.#folders, this.#options, cli)) === undefined)
        await this.#settings.create(cli);
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
      if ((await findState(this.#folders, this.#options, cli)) === undefined)
        await this.#settings.create(cli);
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
    await this.#settings.write();
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
      await this.#settings.write(session.provider);
      await this.#settings.writeSecrets(cli);
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
        ? new HopelessWaits((one, ended) => this.#pods.whyHopeless(one, ended), session.giveUp)
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
          await this.#settings.create(session.cli);
          continue;
        }
        const locks = error instanceof PulumiCommandError ? locksInError(error.output.stderr) : undefined;
        if (locks === undefined) {
          const observed = signal.aborted
            ? observer.observed
            : await this.#pods.withReasons(observer.observed, signal);
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
    await this.#settings.remove();
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
