import { routerNamed } from "../../component/routers/factory.ts";
import { controllerNamed, controllerOfIngressClass, ignoredAnnotations } from "../../core/controllers.ts";
import type { IngressSpec } from "../../core/model.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { FoundControllers } from "../router/found.ts";
import { proposalText, proposeRouters } from "../router/propose.ts";
import { ok, skipped, type Verdict, warning } from "./check.ts";

/** Whether the router is one for what runs in the cluster; without a configuration, which ones would be. Pure. */
export function routerVerdict(
  found: FoundControllers,
  model: { readonly router: RouterName; readonly ingress: IngressSpec } | undefined,
): Verdict {
  const proposals = proposeRouters(found).map(proposalText);
  const unseen =
    found.unseen.length === 0 ? "" : ` (this account may not list ${found.unseen.join(" and ")})`;
  const all = proposals.length === 0 ? "" : `\n${proposals.join("\n")}`;
  if (proposals.length === 0) {
    const nothing = `nothing is found that takes requests${unseen}`;
    return found.unseen.length > 0
      ? skipped(nothing)
      : warning(nothing, "Install an ingress controller, or use a local cluster: `modelswitch cluster up`.");
  }
  if (model === undefined) return ok(`what would fit${unseen}:${all}`);
  const router = routerNamed(model.router);
  if (!router.byIngressClass) return ok(`${model.router}; what would fit${unseen}:${all}`);
  const className = router.classOf(model.ingress);
  const itsClass = found.ingressClasses.find(({ name }) => name === className);
  const controller = itsClass === undefined ? undefined : controllerOfIngressClass(itsClass.controller);
  if (controller === undefined) return ok(`${model.router}; what would fit${unseen}:${all}`);
  if (router.readBy !== undefined && !router.readBy.includes(controller.name)) {
    const readers = router.readBy.map((name) => controllerNamed(name).title).join(" or ");
    return warning(
      `${model.router} writes for ${readers}, and the IngressClass ${className} belongs to ${controller.title}${all}`,
      "Use a router for the controller that serves the class, or a class that the router fits.",
    );
  }
  if (!router.capabilities.weights && controller.backendChange !== undefined) {
    return warning(
      `${model.router} moves traffic by changing the backend of the Ingress, and with ${controller.title} that loses requests: ${controller.backendChange}${all}`,
      "Use a router that shares traffic by weights.",
    );
  }
  const ignored = ignoredAnnotations(model.ingress.annotations ?? {}, controller);
  if (ignored.length > 0) {
    const names = ignored.map(
      ({ annotation, readBy }) => `${annotation} (of ${readBy.map(({ title }) => title).join(", ")})`,
    );
    return warning(
      `${model.router}, for ${controller.title}, which does not read ${names.join(", ")}`,
      "Remove these from ingress.annotations, or say the same in the controller's own words.",
    );
  }
  return ok(`${model.router}, for ${controller.title}`);
}
