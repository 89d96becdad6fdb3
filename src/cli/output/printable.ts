import type { Event } from "../../core/events.ts";
import { printable } from "../../core/printable.ts";

export { printable } from "../../core/printable.ts";

/** The same for everything that is shown of an event. */
export function printableEvent(event: Event): Event {
  return Object.fromEntries(
    Object.entries(event).map(([key, value]) => [key, typeof value === "string" ? printable(value) : value]),
  ) as unknown as Event;
}
