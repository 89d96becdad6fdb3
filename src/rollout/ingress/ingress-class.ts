import { routerNamed } from "../../component/routers/factory.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import {
  type IngressClassShape,
  type IngressClassVerdict,
  ingressClassVerdict,
} from "../../core/ingress-class.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { List } from "../../kubernetes/lists.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";

/** Of the configuration's Ingress; `undefined`: this API server knows no IngressClasses. */
export async function seeIngressClass({
  api,
  config,
  signal,
}: Pick<RolloutContext, "api" | "config" | "signal">): Promise<IngressClassVerdict | undefined> {
  const { className = defaults.ingress.className, classAnnotation = false } = config.ingress;
  try {
    const list = await api.find<List<IngressClassShape>>("/apis/networking.k8s.io/v1/ingressclasses", {
      signal,
    });
    return list === undefined ? undefined : ingressClassVerdict(className, classAnnotation, list.items ?? []);
  } catch (error) {
    if (!(error instanceof KubernetesApiError && error.status === 403)) throw error;
    return ingressClassVerdict(className, classAnnotation, undefined);
  }
}

/**
 * Refuses an Ingress of a class that is not there, where it is new or leaves the class that it has.
 * @throws UserError `ingress-class-missing` (exit code 2)
 */
export async function requireIngressClass(
  context: RolloutContext,
  { ingress }: Pick<Observation, "ingress">,
): Promise<void> {
  const router = routerNamed(context.config.router);
  if (!router.byIngressClass) return;
  const className = router.classOf(context.config.ingress);
  if (ingress?.className === className) return;
  const verdict = await seeIngressClass(context);
  switch (verdict?.kind) {
    case undefined:
    case "exists":
      return;
    case "unknown":
      context.events({
        type: "info",
        code: "ingress-class-unknown",
        message: `Who serves the Ingress is not known beforehand: ${verdict.why}.`,
      });
      return;
    case "missing":
      throw new UserError({
        code: "ingress-class-missing",
        message: `${verdict.message} Nothing was changed.`,
        hint: verdict.hint,
        exitCode: exitCodes.usage,
      });
  }
}
