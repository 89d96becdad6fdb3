import type { Operation } from "./automation.ts";
import { asStateOf } from "./exported-state.ts";
import type { ExportOptions, OperationResult, Stack, StackOptions } from "./stack.ts";
import { findState, requirePassphrase } from "./stack-check.ts";
import { isStackMissing } from "./stack-cli.ts";
import type { StackResource } from "./stack-resource.ts";
import { type StackInternals, StackRuns } from "./stack-runs.ts";
import { outputsOf, parseState, readState, resourcesOf, urnsOf } from "./state-file.ts";
import { type TakeIn, takenIn } from "./take-in.ts";
import { type ProjectFolders, projectFolders } from "./workspace.ts";
/** A stack whose operations run in this process and in one start of the Pulumi CLI each. */
export class LocalStack implements Stack {
  readonly #options: StackOptions;
  readonly #folders: ProjectFolders;
  readonly #runs: StackRuns;

  constructor(options: StackOptions, internals: StackInternals) {
    this.#options = options;
    this.#folders = projectFolders(options);
    this.#runs = new StackRuns(options, internals, this.#folders);
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
    return await this.#runs.withSession("preview", async ({ cli }) => {
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
    return await this.#runs.withSession("preview", (session) => session.cli.outputs());
  }

  async check(): Promise<readonly StackResource[] | undefined> {
    return await this.#runs.withSession("preview", async ({ cli }) => {
      const state = await findState(this.#folders, this.#options, cli);
      if (state === undefined) return undefined;
      await requirePassphrase(this.#folders, this.#options, state);
      return resourcesOf(state);
    });
  }

  async recover(): Promise<void> {
    await this.#runs.withSession("refresh", async (session) => {
      await this.#runs.settle("refresh", session);
      await this.#runs.refreshBut(session);
    });
  }

  async exportState(how: ExportOptions = {}): Promise<string | undefined> {
    return await this.#runs.withSession("preview", async (session) => {
      const { cli } = session;
      if (how.settled === true) await this.#runs.settle("refresh", session);
      const state = await findState(this.#folders, this.#options, cli);
      if (state === undefined) return undefined;
      await requirePassphrase(this.#folders, this.#options, state);
      return await cli.exportState(how);
    });
  }

  async importState(exported: string): Promise<void> {
    await this.#runs.withSession("refresh", async (session) => {
      const { cli } = session;
      if ((await findState(this.#folders, this.#options, cli)) === undefined)
        await this.#runs.settings.create(cli);
      await this.#runs.settle("refresh", session);
      await cli.importState(asStateOf(this.#options, exported, await cli.exportState()));
    });
  }

  async removeState(): Promise<boolean> {
    return await Promise.resolve(false);
  }

  async takeIn(taken: TakeIn): Promise<void> {
    await this.#runs.withSession("refresh", async (session) => {
      const { cli } = session;
      if ((await findState(this.#folders, this.#options, cli)) === undefined)
        await this.#runs.settings.create(cli);
      await this.#runs.settle("up", session);
      const { state, urns } = takenIn(await cli.exportState(), this.#options, taken);
      if (urns.length === 0) return;
      await cli.importState(state);
      await cli.refreshOnly(urns);
    });
  }

  async #refreshOnly(only: readonly Pick<StackResource, "kind" | "id">[]): Promise<OperationResult> {
    const startedAt = performance.now();
    return await this.#runs.withSession("refresh", async (session) => {
      await this.#runs.settle("refresh", session);
      const state = await findState(this.#folders, this.#options, session.cli);
      const urns = state === undefined ? [] : urnsOf(state, only);
      if (urns.length > 0) await session.cli.refreshOnly(urns);
      const durationMs = Math.round(performance.now() - startedAt);
      return { changes: [], same: 0, outputs: {}, durationMs };
    });
  }

  async #operate(operation: Operation): Promise<OperationResult> {
    const startedAt = performance.now();
    return await this.#runs.withSession(operation, async (session) => {
      if (operation !== "preview") await this.#runs.settle(operation, session);
      const observed = await this.#runs.attempt(operation, session);
      if (observed.behind.length > 0) await session.cli.refreshOnly(observed.behind);
      return {
        changes: observed.changes,
        same: observed.same,
        outputs: operation === "destroy" ? {} : observed.outputs,
        durationMs: Math.round(performance.now() - startedAt),
      };
    });
  }

  async #removeStack(): Promise<void> {
    await this.#runs.withSession("destroy", (session) => session.cli.remove());
    await this.#runs.settings.remove();
  }
}
