import { routerNamed } from "../../component/routers/factory.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { apiVersionOf, groupPath, type ObjectKind } from "../../core/object-kind.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { requireIngressClass } from "./ingress-class.ts";

type Place = Pick<RolloutContext, "api" | "config" | "namespace" | "signal" | "events">;

/**
 * Refuses a routing that nobody would serve, before anything is written: kinds that the cluster does not know, an IngressClass that is not
 * there.
 * @throws UserError `router-kinds-missing`, `ingress-class-missing` (exit code 2)
 */
export async function requireServed(
  context: RolloutContext,
  observation: Pick<Observation, "ingress">,
): Promise<void> {
  const router = routerNamed(context.config.router);
  if (router.byIngressClass) return await requireIngressClass(context, observation);
  await requireKinds(context, router.kinds);
}

/** What is there of a version of a group; `undefined`: the cluster does not know it. */
interface ResourceList {
  readonly resources?: readonly { readonly name?: string }[];
}

async function requireKinds({ api, config, signal }: Place, kinds: readonly ObjectKind[]): Promise<void> {
  const found = await Promise.all(
    kinds.map(async (kind) => {
      try {
        const list = (await api.find(groupPath(kind), { signal })) as ResourceList | undefined;
        return (list?.resources ?? []).some(({ name }) => name === kind.plural);
      } catch (error) {
        // Whoever may not ask what there is finds out when it is written.
        if (error instanceof KubernetesApiError && [401, 403].includes(error.status)) return true;
        throw error;
      }
    }),
  );
  const missing = kinds.filter((_, index) => found[index] === false);
  if (missing.length === 0) return;
  const names = missing.map((kind) => `${kind.kind} (${apiVersionOf(kind)})`).join(" and ");
  throw new UserError({
    code: "router-kinds-missing",
    message: `The router "${config.router}" writes objects of the kind ${names}, which this cluster does not know. Nothing was changed.`,
    hint: "Install the controller with its CRDs, or choose another router (`router`).",
    exitCode: exitCodes.usage,
    details: { router: config.router, missing: missing.map(({ kind }) => kind) },
  });
}
