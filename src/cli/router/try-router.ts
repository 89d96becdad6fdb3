import { conformanceOf } from "../../component/routers/conformance.ts";
import type { Router, RouterInput } from "../../component/routers/router.ts";
import { objectPath } from "../../core/object-kind.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";

/** What a router was found to be. */
export interface TriedCheck {
  readonly name: string;
  readonly state: "ok" | "failed";
  /** What is wrong. */
  readonly details: readonly string[];
}

/** Tries a router without any cluster. Pure. */
export function tryRouter(router: Router, input: RouterInput): readonly TriedCheck[] {
  return conformanceOf(router, input).map(({ name, problems }) => ({
    name,
    state: problems.length === 0 ? "ok" : "failed",
    details: problems,
  }));
}

/** What a release writes one after the other. */
const shares = [0, 1, 25, 100];

/**
 * Lets the API server judge the objects of the routings that a release goes through, each field of them, without storing any.
 */
export async function tryOnCluster(
  router: Router,
  input: RouterInput,
  {
    api,
    namespace,
    signal,
  }: { readonly api: KubernetesApi; readonly namespace: string; readonly signal: AbortSignal },
): Promise<TriedCheck> {
  const name = "is taken by the cluster, every field of its objects (a dry run: nothing is stored)";
  const refs = router.refs(input.names ?? input.model);
  const routings: readonly Routing[] = router.capabilities.weights
    ? shares.map((weight) => ({ main: "blue", candidate: "green", weight }))
    : [settledOn("blue"), settledOn("green")];
  const details = new Set<string>();
  for (const routing of routings) {
    for (const [index, object] of router.objects({ ...input, namespace, routing }).entries()) {
      const ref = refs[index];
      if (ref === undefined) continue;
      try {
        await api.json({
          method: "PATCH",
          path: objectPath(namespace, ref),
          query: { fieldManager: "modelswitch-check", force: true, dryRun: "All", fieldValidation: "Strict" },
          body: object,
          signal,
        });
      } catch (error) {
        if (!(error instanceof KubernetesApiError)) throw error;
        const unknown =
          error.status === 404
            ? `the cluster does not know the kind ${ref.kind.kind} (${object.apiVersion})`
            : error.message;
        details.add(`${ref.kind.kind} ${ref.name}: ${unknown}`);
      }
    }
  }
  return { name, state: details.size === 0 ? "ok" : "failed", details: [...details] };
}
