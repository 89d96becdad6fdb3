import { routerNamed } from "../../component/routers/factory.ts";
import { readerOf } from "../../component/routers/reader.ts";
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
  const reader = itsClass && readerOf(router, model.ingress, itsClass.controller);
  if (reader === undefined) return ok(`${model.router}; what would fit${unseen}:${all}`);
  const { controller, meantFor, ignored } = reader;
  if (meantFor !== undefined) {
    return warning(
      `${model.router} writes for ${meantFor}, and the IngressClass ${className} belongs to ${controller.title}${all}`,
      "Use a router for the controller that serves the class, or a class that the router fits.",
    );
  }
  if (!router.capabilities.weights && controller.backendChange !== undefined) {
    return warning(
      `${model.router} moves traffic by changing the backend of the Ingress, and with ${controller.title} that loses requests: ${controller.backendChange}${all}`,
      "Use a router that shares traffic by weights.",
    );
  }
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
