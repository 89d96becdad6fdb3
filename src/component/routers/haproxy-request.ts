import type { IngressSpec } from "../../core/model.ts";
import type { RouterName } from "../../core/router-names.ts";
import { refuseOwnedAnnotations } from "./main-ingress.ts";
import type { RouterInput } from "./router.ts";
import { refuseUnweighable, unsupported } from "./weighted.ts";

/**
 * Refuses what neither of them can be told. `prefixes`: those under which the controller reads its annotations, the first being the one that
 * is written.
 * @throws UserError `annotation-owned`, `routing-invalid`, `routing-unsupported`
 */
export function refuseUnsayable(
  router: RouterName,
  input: RouterInput,
  prefixes: readonly [string, ...string[]],
  written: Readonly<Record<string, string>>,
): void {
  const { ingress } = input;
  refuseUnweighable(router, input);
  if (ingress.className === undefined) {
    throw unsupported(
      router,
      `ingress.className is not said, and no controller of HAProxy serves "nginx", which it is by default`,
      'Name the IngressClass of the controller, mostly `ingress.className: "haproxy"`.',
    );
  }
  const [own] = prefixes;
  const everywhere = Object.entries(written).flatMap(([key, value]) =>
    prefixes.map((prefix) => [key.replace(own, prefix), value] as const),
  );
  refuseOwnedAnnotations(router, ingress, Object.fromEntries(everywhere));
  const passed = Object.entries(ingress.annotations ?? {}).find(
    ([key, value]) => prefixes.some((prefix) => key === `${prefix}ssl-passthrough`) && value === "true",
  );
  if (passed !== undefined) {
    throw unsupported(
      router,
      `ingress.annotations has "${passed[0]}": "true", and then HAProxy sees no requests which it could share or lead by a header`,
      "Let HAProxy end TLS (`ingress.tls`), or use another router.",
    );
  }
}

/** Whether a free annotation of that name is there, under any of the controller's prefixes. */
export function hasAnnotation(
  { annotations = {} }: Pick<IngressSpec, "annotations">,
  prefixes: readonly string[],
  name: string,
): boolean {
  return prefixes.some((prefix) => annotations[`${prefix}${name}`] !== undefined);
}
