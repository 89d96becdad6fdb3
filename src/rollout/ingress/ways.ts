import { routerNamed } from "../../component/routers/factory.ts";
import type { ObservedObject } from "../../component/routers/router.ts";
import { UserError } from "../../core/errors.ts";
import type { Way } from "../../core/migration.ts";
import { givenBy, type ObjectNames, objectNames } from "../../core/names.ts";
import { objectPath } from "../../core/object-kind.ts";
import { settledOn } from "../../core/routing.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { type Endpoint, ingressEndpoints } from "../observe/ingress-endpoints.ts";
import { type ModelLocation, observeRouting } from "../observe/observe.ts";
import type { RolloutRecord } from "../record/record.ts";

/** The names of a model's objects as one of the two routers has them. */
export function namesOfWay(record: RolloutRecord, { ingress }: Pick<Way, "ingress">): ObjectNames {
  return objectNames(record.model, { slots: record.settings.names ?? {}, ...givenBy(ingress) });
}

/** A model as one of its two routers has it. */
export function locationOfWay(context: RolloutContext, record: RolloutRecord, way: Way): ModelLocation {
  const router = routerNamed(way.router);
  return {
    ...locationOf(context, record),
    names: namesOfWay(record, way),
    router: { ...router, front: (main, at) => ({ ...router.front(main, at), known: way.endpoints }) },
  };
}

/** Where one of the two is reached; `undefined`: nothing says that. Of objects that are not made yet as they would be. */
export async function addressesOf(
  context: RolloutContext,
  record: RolloutRecord,
  way: Way,
): Promise<readonly Endpoint[] | undefined> {
  const location = locationOfWay(context, record, way);
  const { ingress } = await observeRouting(location);
  const front = ingress ?? (await futureFront(context, record, way));
  try {
    return await ingressEndpoints({
      api: context.api,
      configured: way.endpoints,
      ingress: front,
      host: way.ingress.host,
      lookup: context.lookup,
      routes: context.routes,
      signal: context.signal,
    });
  } catch (error) {
    if (error instanceof UserError && error.code === "ingress-without-address") return undefined;
    throw error;
  }
}

/** What would be said of the main object; where another object has the addresses, that one is there already. */
async function futureFront({ api, namespace, signal }: RolloutContext, record: RolloutRecord, way: Way) {
  const router = routerNamed(way.router);
  const [main] = router.objects({
    model: record.model,
    names: namesOfWay(record, way),
    namespace,
    routing: settledOn("blue"),
    ingress: way.ingress,
    previewHeader: record.settings.previewHeader,
    servicePort: record.settings.servicePort ?? 80,
  });
  if (main === undefined) return undefined;
  const place = router.addressedBy?.(main);
  const addressed =
    place === undefined
      ? undefined
      : ((await api
          .find(objectPath(place.namespace ?? namespace, place), { signal })
          .catch(() => undefined)) as ObservedObject | undefined);
  return { ...router.front(main, addressed), known: way.endpoints };
}

/**
 * Whether clients of the first one find the second one wherever they connect now: at each of its places. `false`: the two have no place in common.
 * `undefined`: they have some, or may be one controller by HTTP and by HTTPS, or of one of them it is not known where it is: then neither may be
 * relied upon. Pure.
 */
export function haveSameAddress(
  from: readonly Endpoint[] | undefined,
  to: readonly Endpoint[] | undefined,
): boolean | undefined {
  if (from === undefined || to === undefined || from.length === 0 || to.length === 0) return undefined;
  const isIn = ({ url }: Endpoint) => to.some((other) => other.url === url);
  if (from.every(isIn)) return true;
  const mayBeOne = (a: Endpoint, b: Endpoint) =>
    a.address === b.address && (a.port === b.port || a.protocol !== b.protocol);
  return from.some((a) => to.some((b) => mayBeOne(a, b))) ? undefined : false;
}
