import type { CommandInput, OptionSpec } from "../command.ts";

/** Options by which a user says that a slot with traffic may be touched. */
export const liveFlags: readonly OptionSpec[] = [
  {
    name: "allow-live-change",
    summary:
      "Change what the live slot runs, in place, by a rolling update; put back what was changed by hand",
  },
  { name: "allow-live-stop", summary: "Scale the live slot down; to 0 replicas, it interrupts the service" },
];

/** The option by which a user says that others have the same host and path on purpose. */
export const shareHostFlag: OptionSpec = {
  name: "share-host",
  summary: "Other Ingresses have the host and path, too, and that is meant",
};

export function readLiveFlags({ options }: CommandInput): {
  readonly allowLiveChange: boolean;
  readonly allowLiveStop: boolean;
} {
  return {
    allowLiveChange: options["allow-live-change"] === true,
    allowLiveStop: options["allow-live-stop"] === true,
  };
}
