import type { EventSink } from "../../core/events.ts";
import type { ModelStack } from "./model-stack.ts";
import type { StatePlaceOptions } from "./state-place.ts";
import { describePlace, type StatePlace } from "./state-record.ts";

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

/** Looks when it is first asked: commands that move traffic first do without, and without loading what it takes. */
export function modelState(options: StatePlaceOptions, openAt: OpenAt): ModelState {
  let found: Promise<StatePlace> | undefined;
  const look = async () => {
    const { findStatePlace } = await import("./state-place.ts");
    return await findStatePlace(options);
  };
  const place = () => {
    const looking = found ?? look();
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
      const [{ clusterPlace }, { moveState }] = await Promise.all([
        import("./state-place.ts"),
        import("./move-state.ts"),
      ]);
      await moveState(options, await openAt(from), await openAt(await clusterPlace(options)));
      found = clusterPlace(options);
    },
  };
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
