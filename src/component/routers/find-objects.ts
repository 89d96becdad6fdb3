import type { ObjectNames } from "../../core/names.ts";
import { objectPath } from "../../core/object-kind.ts";
import type { KubernetesApi, KubernetesObject } from "../../kubernetes/api.ts";
import type { ObservedObject, Router } from "./router.ts";

/** What the cluster has of a model's routing, in the order in which the router names its objects; `undefined`: it is not there. */
export async function findRoutingObjects(
  {
    api,
    namespace,
    router,
  }: { readonly api: KubernetesApi; readonly namespace: string; readonly router: Router },
  names: ObjectNames,
  signal?: AbortSignal,
): Promise<((KubernetesObject & ObservedObject) | undefined)[]> {
  const options = signal === undefined ? {} : { signal };
  return await Promise.all(
    router
      .refs(names)
      .map((ref) => api.find<KubernetesObject & ObservedObject>(objectPath(namespace, ref), options)),
  );
}
