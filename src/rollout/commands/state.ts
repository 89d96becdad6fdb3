import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import { parseState, readStateText, type State } from "../../engine/state-file.ts";
import { projectFolders } from "../../engine/workspace.ts";
import type { Head } from "../../state/head.ts";
import type { RolloutContext } from "../context/context.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withLock } from "../lock/lock.ts";
import { describePlace, type StatePlace, stackOf } from "../program/state-record.ts";
import type { StateRecord } from "../record/record.ts";
import { recordStatePlace } from "./where-state-is.ts";

/** Where Pulumi's state of a model is, and how it is. */
export interface ShownState {
  readonly place: StatePlace["kind"];
  /** In words. */
  readonly where: string;
  readonly project: string;
  readonly stack: string;
  /** Of the state in the cluster; `undefined`: there is none, or it is elsewhere. */
  readonly head: Head | undefined;
  /** How many resources it holds; `undefined` where asking would take Pulumi. */
  readonly resources: number | undefined;
  /** Folder of this machine's copy. */
  readonly copy: string | undefined;
  readonly recorded: StateRecord | undefined;
}

/** Looks; asks for nothing, and starts nothing. */
export async function showState(context: RolloutContext): Promise<ShownState> {
  const { config, namespace, store } = context;
  const [place, record] = await Promise.all([context.state.place(), store.read()]);
  const id = stackOf(config, namespace);
  const shown = {
    place: place.kind,
    where: describePlace(config, place),
    ...id,
    recorded: record?.state,
  };
  if (place.kind === "cluster") {
    const stack = await context.openStack(context.signal);
    return {
      ...shown,
      head: place.stored?.head,
      resources: (await stack.resources()).length,
      copy: place.kept.folder,
    };
  }
  const state = await stateInFolder(context);
  return { ...shown, head: undefined, resources: state?.resources.length, copy: undefined };
}

/** What a state that is a file of this machine holds. */
async function stateInFolder({ config, namespace }: RolloutContext): Promise<State | undefined> {
  const { project, stack } = stackOf(config, namespace);
  const { stateFolder } = projectFolders({
    folder: config.folder,
    project,
    backendUrl: config.pulumi.backendUrl,
  });
  const text = stateFolder === undefined ? undefined : await readStateText(stateFolder, project, stack);
  return text === undefined ? undefined : parseState(text);
}

/**
 * The state as `pulumi stack export` prints it.
 * @throws UserError `state-missing` (exit code 2), and what opening the stack throws
 */
export async function exportState(
  context: RolloutContext,
  { showSecrets }: { readonly showSecrets: boolean },
): Promise<string> {
  await context.prepareSecrets();
  const stack = await context.openStack(context.signal);
  const exported = await stack.exportState({ showSecrets });
  if (exported !== undefined) return exported;
  const { config } = context;
  throw new UserError({
    code: "state-missing",
    message: `There is no state of ${config.name} in ${describePlace(config, await context.state.place())}.`,
    hint: "`modelswitch state show` says where it is looked for.",
    exitCode: exitCodes.usage,
  });
}

/**
 * Makes an exported state the model's. Nothing in the cluster changes but the state; the next `up` or `plan` shows what differs.
 * @throws UserError `state-file-invalid`, `state-key-other`, `declined`
 */
export async function importState(
  context: RolloutContext,
  exported: string,
  agree: (question: string) => Promise<boolean>,
): Promise<ShownState> {
  const { config, store, events } = context;
  refuseOtherEnvironment(context, await store.read());
  const before = await showState(context);
  const has = before.resources === undefined ? "" : ` (${before.resources} resources)`;
  const question = `This replaces Pulumi's state of ${config.name} in ${before.where}${has}. Continue?`;
  if (!(await agree(question)))
    throw new UserError({ code: "declined", message: "Nothing was changed, since the answer was no." });
  await context.prepareSecrets();
  await withLock(context.lockOptions("state import"), async () => {
    const stack = await context.openStack(context.signal);
    await step(events, { id: "import-state", title: "Replace Pulumi's state" }, () =>
      stack.importState(exported),
    );
    await recordStatePlace(context);
  });
  return await showState(context);
}
