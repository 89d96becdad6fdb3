import { exitCodes, UserError } from "../../core/errors.ts";
import { objectNames } from "../../core/names.ts";
import { splitOf } from "../../core/routing.ts";
import { otherSlot } from "../../core/slots.ts";
import { routerCapabilities } from "./capabilities.ts";
import {
  backendSlot,
  type IngressManifest,
  ingressKind,
  ingressTo,
  ofIngresses,
  refuseInvalidRouting,
  refuseOwnedAnnotations,
} from "./main-ingress.ts";
import type { Router } from "./router.ts";

/** One Ingress, switched by its backend: works with every controller, but can neither split traffic nor preview a slot. */
export const plain: Router<IngressManifest> = {
  name: "plain",
  ...ofIngresses,
  capabilities: routerCapabilities.plain,

  refs(model) {
    return [{ kind: ingressKind, name: objectNames(model).ingress }];
  },

  objects(input) {
    const { routing, ingress } = input;
    refuseInvalidRouting(routing);
    refuseOwnedAnnotations("plain", ingress, {});
    const split = splitOf(routing);
    if (split[routing.main] !== 100) {
      throw new UserError({
        code: "routing-unsupported",
        message: `The router "plain" cannot split traffic, but the routing asks for ${split.blue} % blue and ${split.green} % green.`,
        hint: 'Use router: "nginx" (ingress-nginx, or Traefik 3.7 and newer), or send all traffic to one slot.',
        exitCode: exitCodes.usage,
      });
    }
    const name = objectNames(input.names ?? input.model).ingress;
    return [ingressTo(routing.main, input, { name, annotations: ingress.annotations ?? {}, tls: true })];
  },

  read(model, objects) {
    const name = objectNames(model).ingress;
    const main = backendSlot(
      model,
      objects.find((object) => object.metadata?.name === name),
    );
    return main === undefined ? undefined : { main, candidate: otherSlot(main), weight: 0 };
  },

  requestAnnotations: () => ({}),
  advice: "Check that a controller of the Ingress's class runs.",
  force: () => undefined,
};
