import { messageOf, UserError } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import { setStateAside } from "../../engine/state-file.ts";
import { projectFolders } from "../../engine/workspace.ts";
import type { ModelStack } from "./model-stack.ts";
import {
  clusterPlace,
  describePlace,
  findStatePlace,
  type StatePlace,
  type StatePlaceOptions,
  stackOf,
} from "./state-place.ts";

/** Where a model's state is, and how it comes into the cluster. */
export interface ModelState {
  /** Asked once; after `moveIn` it is the cluster. */
  place(): Promise<StatePlace>;
  /**
   * Moves the state from the project's folder into the cluster, its secrets encrypted with a key of its own from then on. The lock must be held.
   * @throws UserError `state-not-moved`: it is where it was
   */
  moveIn(): Promise<void>;
}

/** How the stack is opened where its state is at this place. */
export type OpenAt = (place: StatePlace) => Promise<ModelStack>;

export function modelState(options: StatePlaceOptions, openAt: OpenAt): ModelState {
  let found: Promise<StatePlace> | undefined;
  const place = () => {
    const looking = found ?? findStatePlace(options);
    found = looking;
    // Where nobody answered, it is asked again.
    looking.catch(() => {
      if (found === looking) found = undefined;
    });
    return looking;
  };
  return {
    place,
    moveIn: async () => {
      const from = await place();
      if (from.kind !== "folder") return;
      const to = await clusterPlace(options);
      await moved(options, await openAt(from), await openAt(to));
      found = clusterPlace(options);
    },
  };
}

async function moved(
  { config, namespace }: StatePlaceOptions,
  from: ModelStack,
  to: ModelStack,
): Promise<void> {
  const { project, stack } = stackOf(config, namespace);
  const { stateFolder } = projectFolders({ folder: config.folder, project });
  try {
    const exported = await from.exportState({ showSecrets: true, settled: true });
    if (exported === undefined) return;
    await to.importState(exported);
  } catch (error) {
    if (!(error instanceof UserError) || error.code === "interrupted") throw error;
    throw new UserError({
      code: "state-not-moved",
      message: `Pulumi's state of ${config.name} could not be moved from ${config.folder}/.modelswitch/state into the cluster: ${messageOf(error)}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      exitCode: error.exitCode,
      cause: error,
    });
  }
  // From here on the Secret counts: a copy that is found again later would be an old one.
  if (stateFolder !== undefined) await setStateAside(stateFolder, project, stack, "moved");
}

/**
 * Says where the state is, where that is not the cluster and the configuration does not say so. `looks`: for a command that changes nothing, and
 * does without.
 */
export function sayPlace(
  events: EventSink,
  { config }: Pick<StatePlaceOptions, "config">,
  place: StatePlace,
  looks = false,
): void {
  if (place.kind !== "folder") return;
  if (looks && !place.isThere) {
    const message = `The account may not read Pulumi's state of ${config.name} in the cluster: what would change is told from what is there.`;
    events({ type: "info", message });
    return;
  }
  const where = `Pulumi's state of ${config.name} is in ${describePlace(config, place)}, on this machine alone`;
  if (place.mayMove) {
    events({
      type: "info",
      message: `${where}. \`modelswitch up\` asks whether to move it into the cluster.`,
    });
    return;
  }
  events({
    type: "warning",
    code: "state-in-folder",
    message: `${where}: the account may not keep it in the cluster.`,
    hint: "`modelswitch rbac` prints the Role for that (get, create, update and delete on Secrets of fixed names).",
  });
}
