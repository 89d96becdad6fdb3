import { requireCapability, routerNamed } from "../../component/routers/factory.ts";
import { refuseOwnedAnnotations } from "../../component/routers/main-ingress.ts";
import type { RouterName } from "../../core/router-names.ts";
import { refusal } from "../parts/problem.ts";

/** What is wrong with a free annotation of the Ingress: those that a router writes itself are refused. */
export function annotationProblem(
  router: RouterName,
  className: string | undefined,
  name: string,
  value: string,
): string | undefined {
  const ingress = { annotations: { [name]: value }, ...(className === undefined ? {} : { className }) };
  const refused = refusal(() => refuseOwnedAnnotations(router, ingress, {}));
  // Where it stands is said by whoever asks.
  return refused?.replace(/^ingress\.annotations has "[^"]*": /, "");
}

/** What is wrong with asking a router for a preview header. */
export function previewHeaderProblem(router: RouterName): string | undefined {
  return refusal(() => requireCapability(routerNamed(router), "header", "previewHeader"));
}
