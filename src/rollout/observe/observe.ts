import { findRoutingObjects } from "../../component/routers/find-objects.ts";
import type { Front, ObservedObject, Router } from "../../component/routers/router.ts";
import { type ObjectNames, objectNames } from "../../core/names.ts";
import { type ObjectRef, objectPath } from "../../core/object-kind.ts";
import type { Routing } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import { type KubernetesApi, mayNotLook } from "../../kubernetes/api.ts";
import { Lists } from "../../kubernetes/lists.ts";
import { observeSlotAt } from "../../slots/observe-slot.ts";
import type { Observation, SlotObservation } from "./observation.ts";

export interface ModelLocation {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly model: string;
  /** @default those that derive from the model's name */
  readonly names?: ObjectNames;
  readonly router: Router;
  /** What the answers of pods without a note of it have, where their release says it. @default none */
  readonly marks?: Readonly<Partial<Record<Slot, string>>>;
  /** What lists were read so far. @default none */
  readonly lists?: Lists;
  readonly signal?: AbortSignal | undefined;
}

export function namesAt({ model, names }: Pick<ModelLocation, "model" | "names">): ObjectNames {
  return names ?? objectNames(model);
}

/** Reads everything about one model. The live slot is what the routing objects say, never what was remembered. */
export async function observe(location: ModelLocation): Promise<Observation> {
  const { api, namespace, signal } = location;
  const [namespaceObject, routing, blue, green] = await Promise.all([
    api.find(`/api/v1/namespaces/${namespace}`, signal === undefined ? {} : { signal }).catch((error) => {
      // People who may only touch their own namespace often may not read the Namespace object itself.
      if (error instanceof Error && "status" in error && error.status === 403) return {};
      throw error;
    }),
    observeRouting(location),
    observeSlot(location, "blue"),
    observeSlot(location, "green"),
  ]);
  return {
    namespaceExists: namespaceObject !== undefined,
    routing: routing.routing,
    missing: routing.missing,
    ingress: routing.ingress,
    slots: { blue, green },
  };
}

/** Reads only the routing objects. */
export async function observeRouting(
  location: ModelLocation,
): Promise<{ routing: Routing | undefined; ingress: Front | undefined; missing: readonly ObjectRef[] }> {
  const { signal } = location;
  const names = namesAt(location);
  const found = await findRoutingObjects(location, names, signal);
  const [main] = found;
  const missing = location.router.refs(names).filter((_, index) => found[index] === undefined);
  if (main === undefined) return { routing: undefined, ingress: undefined, missing };
  const objects = found.filter((object) => object !== undefined);
  return {
    routing: location.router.read(names, objects),
    ingress: location.router.front(main, await addressed(location, main)),
    missing,
  };
}

/** The object that has the addresses, where it is another one; it may be somebody else's, and not for this account to see. */
async function addressed(
  { api, namespace, router, signal }: ModelLocation,
  main: ObservedObject,
): Promise<ObservedObject | undefined> {
  const place = router.addressedBy?.(main);
  if (place === undefined) return undefined;
  try {
    const path = objectPath(place.namespace ?? namespace, place);
    return (await api.find(path, signal === undefined ? {} : { signal })) as ObservedObject | undefined;
  } catch (error) {
    if (mayNotLook(error)) return undefined;
    throw error;
  }
}

/** The same place, of which lists are read as the newest there is: what was seen before says nothing. */
export function newest(location: ModelLocation): ModelLocation {
  return { ...location, lists: new Lists(location.api) };
}

/** Reads one slot: its Deployment, Service, endpoints and pods. */
export async function observeSlot(location: ModelLocation, slot: Slot): Promise<SlotObservation> {
  return await observeSlotAt({ ...location, names: namesAt(location), mark: location.marks?.[slot] }, slot);
}
