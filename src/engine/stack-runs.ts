import { systemClock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import { collectRefusals, type Refusal } from "../core/refusals.ts";
import { type AutomationModule, importAutomation, type Operation, runOperation } from "./automation.ts";
import { EngineEvents, type Observed } from "./engine-events.ts";
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
import type { StackOptions } from "./stack.ts";
import { findState } from "./stack-check.ts";
import { isStackMissing, StackCli } from "./stack-cli.ts";
import { type OwnSettings, SettingsOfStack } from "./stack-settings.ts";
import { readState, removeHalfWrittenAttributes, resourcesOf, urnsOf } from "./state-file.ts";
import type { ProjectFolders } from "./workspace.ts";

/** What `modelswitch run` adds to a stack. */
export interface StackInternals extends OwnSettings {
  /** The Automation API that belongs to the `@pulumi/pulumi` which the program imports. */
  readonly automation?: () => Promise<AutomationModule>;
  /** Ends a run when what it waits for can't become ready any more. @default false: the caller watches its own */
  readonly endsHopelessWaits?: boolean;
}

/**
 * What every operation on a stack goes through: a session with the CLI, the order that a killed run left, one run of the engine and
 * again what stood in its way, and the words for what failed.
 */
export class StackRuns {
  readonly #options: StackOptions;
  readonly #internals: StackInternals;
  readonly #folders: ProjectFolders;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #pods: PodLooks;
  readonly settings: SettingsOfStack;

  constructor(options: StackOptions, internals: StackInternals, folders: ProjectFolders) {
    this.#options = options;
    this.#internals = internals;
    this.#folders = folders;
    this.#env = options.env ?? process.env;
    this.settings = new SettingsOfStack(options, folders, internals);
    this.#pods = new PodLooks(() => fixed(options.kubeconfig, this.#env));
  }

  async withSession<T>(operation: Operation, work: (session: OpenStackSession) => Promise<T>): Promise<T> {
    const { project, stack, secrets, kubeconfig, events, signal } = this.#options;
    const { workFolder, stateFolder } = this.#folders;
    await this.settings.write();
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
      await this.settings.write(session.provider);
      await this.settings.writeSecrets(cli);
      return await work({ ...session, cli, record, ends, giveUp: () => hopeless.abort() });
    } catch (error) {
      throw this.#explain(operation, error, nothingObserved);
    } finally {
      await session.close();
    }
  }

  /** One operation, again after what stood in its way has been cleared. */
  async attempt(operation: Operation, session: OpenStackSession): Promise<Observed> {
    const { events, signal } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let refused: ((what: string) => UserError) | undefined;
      const onRefused = (error: (what: string) => UserError) => {
        refused ??= error;
        session.giveUp();
      };
      const planning = operation === "preview";
      const hopeless = this.#internals.endsHopelessWaits
        ? new HopelessWaits(this.#pods, { events, giveUp: session.giveUp })
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
          await this.settings.create(session.cli);
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

  /** Puts in order what a killed run left. Its lock goes first: what is unfinished under a live run's lock is that run's. */
  async settle(operation: Operation, session: OpenStackSession): Promise<void> {
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
    if (killed.length > 0 && operation === "up") await this.refreshBut(session);
    for (const cli of killed) session.record.forget(cli);
  }

  async refreshBut(session: OpenStackSession): Promise<void> {
    const left = new Set((await this.#options.leaves?.())?.map(({ kind, id }) => `${kind} ${id}`));
    if (left.size === 0) {
      await this.attempt("refresh", session);
      return;
    }
    const state = await findState(this.#folders, this.#options, session.cli);
    const others = resourcesOf(state).filter(({ kind, id }) => !left.has(`${kind} ${id}`));
    if (state !== undefined && others.length > 0) await session.cli.refreshOnly(urnsOf(state, others));
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
export interface OpenStackSession extends Session {
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
  behind: [],
  ended: false,
};
