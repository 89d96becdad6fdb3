import { routerNamed, routersFor } from "../../component/routers/factory.ts";
import { readerOf } from "../../component/routers/reader.ts";
import type { Router } from "../../component/routers/router.ts";
import type { KnownController } from "../../core/controllers.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import {
  type IngressClassShape,
  type IngressClassVerdict,
  ingressClassVerdict,
} from "../../core/ingress-class.ts";
import type { IngressSpec } from "../../core/model.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { List } from "../../kubernetes/lists.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Observation } from "../observe/observation.ts";
import type { AppliedSettings } from "../record/record.ts";

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

/** What was applied before, where there is anything. */
export type FormerRouting = Pick<AppliedSettings, "router" | "ingress">;

/** What there is to say of the class was said when this came to be so. */
function isSaidAlready({ router, ingress }: FormerRouting, config: RolloutContext["config"]): boolean {
  const annotations = (of: IngressSpec) => JSON.stringify(Object.entries(of.annotations ?? {}).toSorted());
  return router === config.router && annotations(ingress) === annotations(config.ingress);
}

/**
 * Refuses an Ingress of a class that is not there, and one that the class's controller would take for something else, where it is new or leaves
 * the class that it has.
 * @throws UserError `ingress-class-missing`, `router-unread`, `backend-change-drops` (exit code 2)
 */
export async function requireIngressClass(
  context: RolloutContext,
  { ingress }: Pick<Observation, "ingress">,
  former?: FormerRouting,
): Promise<void> {
  const router = routerNamed(context.config.router);
  if (!router.byIngressClass) return;
  const className = router.classOf(context.config.ingress);
  const isNew = ingress?.className !== className;
  if (!isNew && former !== undefined && isSaidAlready(former, context.config)) return;
  const verdict = await seeIngressClass(context);
  switch (verdict?.kind) {
    case undefined:
      return;
    case "exists":
      return requireReader(context, router, className, verdict.controller, isNew);
    case "unknown":
      if (!isNew) return;
      context.events({
        type: "info",
        code: "ingress-class-unknown",
        message: `Who serves the Ingress is not known beforehand: ${verdict.why}.`,
      });
      return;
    case "missing":
      if (!isNew) return;
      throw new UserError({
        code: "ingress-class-missing",
        message: `${verdict.message} Nothing was changed.`,
        hint: verdict.hint,
        exitCode: exitCodes.usage,
      });
  }
}

/** @throws UserError `router-unread`, `backend-change-drops` */
function requireReader(
  { config, events }: Pick<RolloutContext, "config" | "events">,
  router: Router,
  className: string,
  controllerOfClass: string,
  isNew: boolean,
): void {
  const reader = readerOf(router, config.ingress, controllerOfClass);
  if (reader === undefined) return;
  const { controller, meantFor, ignored } = reader;
  for (const { annotation, readBy } of ignored) {
    const readers = readBy.map(({ title }) => title).join(" and ");
    events({
      type: "warning",
      code: "annotation-ignored",
      message: `ingress.annotations has "${annotation}", which ${readers} would read; the IngressClass ${className} belongs to ${controller.title} (${controllerOfClass}), which does not.`,
      hint: "Remove it, or say the same in the words of the controller that serves the Ingress.",
    });
  }
  if (meantFor === undefined) {
    mindBackendChange(events, router, className, controller, isNew);
    return;
  }
  const message = `The router "${router.name}" writes for ${meantFor}, but the IngressClass ${className} belongs to ${controller.title} (${controllerOfClass}), which takes its objects for something else.`;
  const hint = `Routers for that controller: ${routersFor(controller.name).join(", ")}. Or name a class of a controller that fits: ingress.className.`;
  if (isNew) {
    throw new UserError({
      code: "router-unread",
      message: `${message} Nothing was changed.`,
      hint,
      exitCode: exitCodes.usage,
    });
  }
  // It is there already: to hold up a release would not mend it.
  events({ type: "warning", code: "router-unread", message, hint });
}

/**
 * A router without weights moves traffic by changing a backend under it. Where the controller is known to drop requests then, and another router
 * spares them, a model does not begin with that.
 * @throws UserError `backend-change-drops`
 */
function mindBackendChange(
  events: RolloutContext["events"],
  router: Router,
  className: string,
  controller: KnownController,
  isNew: boolean,
): void {
  if (router.capabilities.weights || controller.backendChange === undefined) return;
  const better = routersFor(controller.name).filter((name) => routerNamed(name).capabilities.weights);
  const message = `The router "${router.name}" moves traffic by changing the backend of the Ingress, and with ${controller.title}, whose IngressClass ${className} is, that loses requests: ${controller.backendChange}.`;
  if (isNew && better.length > 0) {
    throw new UserError({
      code: "backend-change-drops",
      message: `${message} Nothing was changed.`,
      hint: `Routers that share traffic by weights there: ${better.join(", ")}.`,
      exitCode: exitCodes.usage,
    });
  }
  const hint =
    better.length > 0
      ? `Move the model to a router that shares traffic by weights: \`modelswitch migrate --to ${better[0]}\`.`
      : "Use a Gateway of that controller (router gateway-api), if it has one.";
  // It is there already, or there is nothing else.
  events({ type: "warning", code: "backend-change-drops", message, hint });
}
