import type { IngressSpec } from "../../core/model.ts";
import { type Named, objectNames } from "../../core/names.ts";
import { isObject } from "../../core/object-kind.ts";
import { quantityValue } from "../../core/quantity.ts";
import { type Routing, settled, splitOf, wholeShare } from "../../core/routing.ts";
import { isSlot, otherSlot, type Slot, slots } from "../../core/slots.ts";
import { routerCapabilities } from "./capabilities.ts";
import { haproxyIngressCounters } from "./counters/haproxy.ts";
import { refuseUnsayable } from "./haproxy-request.ts";
import { realSplit } from "./haproxy-weights.ts";
import { type IngressManifest, ingressKind, ingressTo, ofIngresses } from "./main-ingress.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import { type ServiceManifest, selectorOf, serviceKind, serviceRight, serviceTo } from "./service-object.ts";
import { mainAnnotation, ofWeights, routingOf, unsupported } from "./weighted.ts";

/** The controller reads its annotations under both. */
const prefixes = ["haproxy-ingress.github.io/", "ingress.kubernetes.io/"] as const;
const [prefix] = prefixes;
const balance = `${prefix}blue-green-balance`;

/**
 * HAProxy Ingress (jcmoraisjr/haproxy-ingress). One Ingress leads to one Service of both slots' pods, and annotations of it say how the
 * slots, told apart by a label of their pods, share the requests.
 */
export const haproxy: Router<IngressManifest | ServiceManifest> = {
  name: "haproxy",
  readBy: ["haproxy-ingress"],
  ...ofIngresses,
  ...ofWeights,
  byIngressClass: true,
  counters: [haproxyIngressCounters],
  capabilities: routerCapabilities.haproxy,
  kinds: [ingressKind, serviceKind],
  rights: [
    { kind: ingressKind, names: ({ ingress }) => [ingress], awaited: true },
    serviceRight(({ union }) => [union]),
  ],

  refs(model) {
    const { ingress, union } = objectNames(model);
    return [
      { kind: ingressKind, name: ingress },
      { kind: serviceKind, name: union },
    ];
  },

  objects(input) {
    const { ingress, previewHeader, routing } = input;
    const { ingress: name, union } = objectNames(input.names ?? input.model);
    const { label, common } = labelsOf(input);
    const split = splitOf(settled(routing));
    const own = {
      [balance]: slots.map((slot) => `${label}=${slot}=${split[slot]}`).join(","),
      [`${prefix}blue-green-mode`]: "deploy",
      [`${prefix}blue-green-header`]: `${previewHeader}:${label}`,
      // With weights from 1 on a quarter would be anything from a fifth to a third, by the numbers of replicas.
      [`${prefix}initial-weight`]: "100",
      // What looks at the load of pods gives a slow slot less than its share.
      [`${prefix}balance-algorithm`]: "roundrobin",
      // Changed one by one in a running HAProxy, no pod has a weight for a moment in the middle of a switch, and names stay those of pods that are gone.
      [`${prefix}dynamic-scaling`]: "false",
      [`${prefix}backend-server-naming`]: "pod",
      ...requestAnnotations(ingress),
    };
    refuseUnsayable("haproxy", input, prefixes, own);
    return [
      ingressTo(settled(routing).main, input, {
        name,
        service: union,
        annotations: { ...ingress.annotations, ...own, [mainAnnotation]: settled(routing).main },
        tls: true,
      }),
      serviceTo(common, input, { name: union, annotations: {} }),
    ];
  },

  read(model, objects) {
    const [ref] = haproxy.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    return leadsToUnion(model, object) ? sharedBy(model, object) : undefined;
  },

  realSplit,
  classOf: ({ className = "" }) => className,
  requestAnnotations,
  advice:
    "Look at the log of the controller (HAProxy Ingress), whether it serves the class of the Ingress (`ingress.className`), and whether it may read pods.",
};

/** What both slots' pods have in common, and the label that tells them apart: the controller's preview header says its value. */
function labelsOf(input: RouterInput): { readonly label: string; readonly common: Record<string, string> } {
  const [blue, green] = slots.map((slot) => selectorOf(input, slot));
  const common = Object.fromEntries(
    Object.entries(blue ?? {}).filter(([key, value]) => green?.[key] === value),
  );
  const label = Object.keys(blue ?? {}).find(
    (key) => blue?.[key] === "blue" && green?.[key] === "green" && !key.includes("/"),
  );
  if (label !== undefined && Object.keys(common).length > 0) return { label, common };
  throw unsupported(
    "haproxy",
    `the controller needs one Service for both slots and a label without a slash that is "blue" and "green" on their pods, but blue's are selected by ${JSON.stringify(blue)} and green's by ${JSON.stringify(green)}`,
    'Select them, for example, by { app: "fraud", version: "blue" } and { app: "fraud", version: "green" }, or use another router.',
  );
}

interface ObservedSpec {
  readonly rules?: readonly {
    readonly http?: {
      readonly paths?: readonly { readonly backend?: { readonly service?: { readonly name?: string } } }[];
    };
  }[];
}

/** Whether all paths of an Ingress lead to the Service of both slots. */
function leadsToUnion(model: Named, object: ObservedObject | undefined): boolean {
  const spec = object?.spec as ObservedSpec | undefined;
  const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const { union } = objectNames(model);
  return paths.length > 0 && paths.every(({ backend }) => backend?.service?.name === union);
}

/** What the Ingress says; `undefined`: something that the router does not write. */
function sharedBy(model: Named, object: ObservedObject | undefined): Routing | undefined {
  const annotations = object?.metadata?.annotations ?? {};
  const text = annotations[balance];
  if (text === undefined) {
    // Then every pod gets the same, whosever it is: both slots have traffic, and nothing says how much.
    const noted = annotations[mainAnnotation];
    const main: Slot = isSlot(noted) ? noted : "blue";
    return { main, candidate: otherSlot(main), weight: 50 };
  }
  const { service } = objectNames(model);
  const weights = text.split(",").map((part) => {
    const [, slot, weight = ""] = part.split("=");
    return {
      name: isSlot(slot) ? service[slot] : undefined,
      weight: /^\d+$/.test(weight) ? Number(weight) : -1,
    };
  });
  return routingOf(model, object, weights, wholeShare);
}

function requestAnnotations({
  timeout,
  maxBodySize,
  protocol = "http",
}: Pick<IngressSpec, "timeout" | "maxBodySize" | "protocol">): Record<string, string> {
  const bytes =
    maxBodySize === "unlimited" ? "unlimited" : String(Math.floor(quantityValue(maxBodySize ?? "") ?? 0));
  return {
    ...(timeout === undefined ? {} : { [`${prefix}timeout-server`]: `${timeout}s` }),
    ...(maxBodySize === undefined ? {} : { [`${prefix}proxy-body-size`]: bytes }),
    ...(protocol === "http" ? {} : { [`${prefix}backend-protocol`]: protocol }),
  };
}
