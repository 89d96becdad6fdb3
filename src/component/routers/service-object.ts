import { ownLabels, slotLabels } from "../../core/names.ts";
import { apiVersionOf, type ObjectKind } from "../../core/object-kind.ts";
import type { RoutingRight } from "../../core/permissions.ts";
import type { Slot } from "../../core/slots.ts";
import type { BackendPort, RouterInput, RoutingObject } from "./router.ts";

/** Services that routers write: more than the one of each slot. */
export const serviceKind: ObjectKind = { group: "", version: "v1", kind: "Service", plural: "services" };

/** What a router needs for its own Services. The provider lists those of the slots anyhow. */
export function serviceRight(
  names: Extract<RoutingRight["names"], (...args: never) => unknown>,
): RoutingRight {
  return { kind: serviceKind, names, awaited: false };
}

/** A Service that a router writes. */
export interface ServiceManifest extends RoutingObject {
  readonly spec: {
    readonly type: "ClusterIP";
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly BackendPort[];
  };
}

/** The labels by which a slot's Service selects. */
export function selectorOf(
  { model, selectors }: Pick<RouterInput, "model" | "selectors">,
  slot: Slot,
): Readonly<Record<string, string>> {
  return selectors?.[slot] ?? slotLabels(model, slot);
}

/** A Service on the port of the slots' own ones. */
export function serviceTo(
  selector: Readonly<Record<string, string>>,
  input: RouterInput,
  { name, annotations }: { readonly name: string; readonly annotations: Readonly<Record<string, string>> },
): ServiceManifest {
  const { model, namespace, servicePort } = input;
  return {
    apiVersion: apiVersionOf(serviceKind),
    kind: serviceKind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { app: model, ...ownLabels(model) },
      // A slot may be empty: whether it is ready is asked when it is to get traffic.
      annotations: { ...annotations, "pulumi.com/skipAwait": "true" },
    },
    spec: {
      type: "ClusterIP",
      selector: { ...selector },
      ports: [input.backend ?? { name: "http", port: servicePort, targetPort: servicePort }],
    },
  };
}
