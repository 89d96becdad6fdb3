import { routerNamed } from "../../component/routers/factory.ts";
import type { Look, ObservedObject, Router } from "../../component/routers/router.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { configuredNames } from "../../core/names.ts";
import {
  apiVersionOf,
  collectionPath,
  groupPath,
  type ObjectKind,
  objectPath,
} from "../../core/object-kind.ts";
import { mayNotLook } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import { type FormerRouting, requireIngressClass } from "./ingress-class.ts";

type Place = Pick<RolloutContext, "api" | "config" | "namespace" | "signal" | "events">;

/**
 * Refuses a routing that nobody would serve, before anything is written: kinds that the cluster does not know, an IngressClass that is not
 * there.
 * @throws UserError `router-kinds-missing`, `ingress-class-missing` (exit code 2), and what the router finds missing: `gateway-missing`, …
 */
export async function requireServed(
  context: RolloutContext,
  observation: Pick<Observation, "ingress">,
  /** What was applied before: what that has of it is not looked at again. @default everything is */
  former?: FormerRouting,
): Promise<void> {
  const router = routerNamed(context.config.router);
  if (router.byIngressClass) await requireIngressClass(context, observation, former);
  else await requireKinds(context, router.kinds);
  await requireGround(context, router);
}

/** What the objects refer to. */
async function requireGround({ api, config, namespace, signal }: Place, router: Router): Promise<void> {
  const look: Look = async (kind, name, within) => {
    const path =
      within === undefined ? `${collectionPath(kind)}/${name}` : objectPath(within, { kind, name });
    try {
      return (await api.find(path, { signal })) as ObservedObject | undefined;
    } catch (error) {
      if (mayNotLook(error)) return "unseen";
      throw error;
    }
  };
  const wishes = {
    cookie: config.routing?.testers?.cookie !== undefined,
    mirror: config.rollout.shadow?.percent,
    https: config.ingress.protocol === "https",
  };
  const names = configuredNames(config);
  const problem = await router.ground?.({ ingress: config.ingress, namespace, names, wishes }, look);
  if (problem === undefined) return;
  const { code, message, hint } = problem;
  throw new UserError({ code, message: `${message} Nothing was changed.`, hint, exitCode: exitCodes.usage });
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
        if (mayNotLook(error)) return true;
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
