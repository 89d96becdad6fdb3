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
