import type { StateStore } from "../state/cluster-state.ts";
import type { KeptPlace } from "./kept-copy.ts";
import { KeptStack } from "./kept-stack.ts";
import { openStack } from "./open.ts";
import type { OpenStack } from "./stack.ts";

/** Opens stacks whose state is in the cluster; one that names a backend of its own, as a preview beside the state does, has it there. */
export function openKept(place: KeptPlace): OpenStack {
  return async (options) =>
    options.backendUrl === undefined
      ? new KeptStack(options, { ...place, open: openStack })
      : await openStack(options);
}

/** Opens stacks that have no state anywhere, for whoever only looks: nothing is made for that. */
export const openNowhere: OpenStack = openKept({
  state: {
    where: "nowhere",
    load: () => Promise.resolve(undefined),
    text: () => Promise.resolve(undefined),
    begin: () => Promise.reject(new Error("Who only looks begins nothing.")),
    end: () => Promise.reject(new Error("Who only looks ends nothing.")),
    remove: () => Promise.resolve(false),
  } satisfies StateStore,
  folder: "/nowhere",
  isRecorded: false,
});
