import { isInterrupted, messageOf, UserError } from "../../core/errors.ts";
import { setStateAside } from "../../engine/state-file.ts";
import { projectFolders } from "../../engine/workspace.ts";
import type { ModelStack } from "./model-stack.ts";
import type { StatePlaceOptions } from "./state-place.ts";
import { stackOf } from "./state-record.ts";

/**
 * Makes a state that is in the project's folder the cluster's, and sets the folder's aside.
 * @throws UserError `state-not-moved`: it is where it was
 */
export async function moveState(
  { config, namespace }: Pick<StatePlaceOptions, "config" | "namespace">,
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
    if (!(error instanceof UserError) || isInterrupted(error)) throw error;
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
