import { nameOf, text } from "../objects.ts";
import type { PropertyMap } from "../struct.ts";
import { condition, type Observer } from "./observer.ts";
import type { Verdict } from "./wait.ts";

const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** A CustomResourceDefinition is ready when its kind is served. */
export function definitionVerdict(definition: PropertyMap): Verdict {
  if (text(condition(definition, "Established"), "status") === "True") return { state: "ready" };
  const names = condition(definition, "NamesAccepted");
  if (text(names, "status") === "False") {
    return { state: "failed", reasons: [`The names are not accepted: ${text(names, "message")}`] };
  }
  return { state: "waiting", reasons: ["Waiting until the API server serves the new kind"] };
}

export const definitionObserver: Observer = {
  watch: (live) => [{ path, name: nameOf(live) }],
  async look(session, live) {
    const object =
      (await session.client.api.find<PropertyMap>(`${path}/${nameOf(live)}`, { signal: session.signal })) ??
      live;
    return { object, verdict: definitionVerdict(object), explain: async () => [] };
  },
};
