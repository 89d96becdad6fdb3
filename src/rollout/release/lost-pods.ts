import type { EventSink } from "../../core/events.ts";
import { occupants } from "../../slots/occupants.ts";
import type { SlotObservation } from "../observation.ts";

/** Says of pods that nothing waits for any more, of each once: nobody knows whether they have ended. Lives as long as a command works on a rollout. */
export class LostPods {
  readonly #told = new Set<string>();

  tell(events: EventSink, observed: SlotObservation, now: number): void {
    const news = occupants(observed, now).lost.filter(({ name, uid }) => !this.#told.has(uid ?? name));
    if (news.length === 0) return;
    for (const { name, uid } of news) this.#told.add(uid ?? name);
    events({
      type: "warning",
      code: "pods-lost",
      message: `${news.map(({ name }) => name).join(", ")} of ${observed.slot} should have ended over half a minute ago, and their node does not say that they have: they are not waited for.`,
      hint: "Look at the node. One that is gone for good is taken out with `kubectl delete node`; then its pods go too.",
    });
  }
}
