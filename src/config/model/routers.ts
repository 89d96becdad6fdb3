import { requireCapability, routerNamed } from "../../component/routers/factory.ts";
import { refuseOwnedAnnotations } from "../../component/routers/main-ingress.ts";
import { UserError } from "../../core/errors.ts";
import type { RouterName } from "../../core/model.ts";

/** What is wrong with a free annotation of the Ingress: those that a router writes itself are refused. */
export function annotationProblem(
  router: RouterName,
  className: string | undefined,
  name: string,
  value: string,
): string | undefined {
  const ingress = { annotations: { [name]: value }, ...(className === undefined ? {} : { className }) };
  return refusal(() => refuseOwnedAnnotations(router, ingress, {}));
}

/** What is wrong with asking a router for a preview header. */
export function previewHeaderProblem(router: RouterName): string | undefined {
  return refusal(() => requireCapability(routerNamed(router), "header", "previewHeader"));
}

function refusal(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [error.message.replace(/^ingress\.annotations has "[^"]*": /, ""), error.hint]
      .filter(Boolean)
      .join(" ");
  }
}
