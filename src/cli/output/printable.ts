import type { Event } from "../../core/events.ts";
import { printable } from "../../core/printable.ts";

/** An event whose texts hold nothing that a terminal would obey. */
export function printableEvent(event: Event): Event {
  return Object.fromEntries(
    Object.entries(event).map(([key, value]) => [key, typeof value === "string" ? printable(value) : value]),
  ) as unknown as Event;
}
