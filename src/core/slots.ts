/** The two permanent environments of a model. */
export const slots = ["blue", "green"] as const;

/** `blue` or `green`. */
export type Slot = (typeof slots)[number];

/** The one that is not this. */
export function otherSlot(slot: Slot): Slot {
  return slot === "blue" ? "green" : "blue";
}

/** Whether a value, for example of a configuration, names a slot. */
export function isSlot(value: unknown): value is Slot {
  return value === "blue" || value === "green";
}
