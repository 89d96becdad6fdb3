import { type IngressSpec, placesOf } from "../../core/model.ts";
import { type Named, objectNames } from "../../core/names.ts";
import { isObject } from "../../core/object-kind.ts";
import { partsOf, type Routing, settled, settledOn, toShare } from "../../core/routing.ts";
import { isSlot, otherSlot, type Slot } from "../../core/slots.ts";
import { routerCapabilities } from "./capabilities.ts";
import { haproxyTechCounters } from "./counters/haproxy.ts";
import { hasAnnotation, refuseUnsayable } from "./haproxy-request.ts";
import { backendSlot, type IngressManifest, ingressKind, ingressTo, ofIngresses } from "./main-ingress.ts";
import type { ObservedObject, Router } from "./router.ts";
import { type ServiceManifest, selectorOf, serviceKind, serviceRight, serviceTo } from "./service-object.ts";
import { mainAnnotation, ofWeights, unsupported } from "./weighted.ts";

/** The slot that the main Ingress leads to, for ever: what the other one gets is taken away from it. */
const base: Slot = "blue";
const shifted = otherSlot(base);

/** The controller reads its annotations under any of these. */
const prefixes = ["haproxy.org/", "haproxy.com/", "ingress.kubernetes.io/"] as const;
const [prefix] = prefixes;
const routeAcl = `${prefix}route-acl`;

/**
 * The ingress controller of HAProxy Technologies (haproxytech/kubernetes-ingress). A Service with `route-acl` takes those requests for which its
 * text is true, before anybody looks whose path they have. So the main Ingress leads to blue and is never rewritten; a Service of green's
 * pods takes a share, by one annotation, and another one takes the previews of green. The controller puts the text into `{ … }` as it stands
 * (pkg/route/route.go), so that more conditions can follow in it.
 */
export const haproxyTech: Router<IngressManifest | ServiceManifest> = {
  name: "haproxy-tech",
  readBy: ["haproxytech"],
  ...ofIngresses,
  ...ofWeights,
  byIngressClass: true,
  counters: [haproxyTechCounters],
  capabilities: routerCapabilities["haproxy-tech"],
  kinds: [ingressKind, serviceKind],
  rights: [
    {
      kind: ingressKind,
      names: ({ ingress, shift, preview }) => [ingress, shift, preview],
      awaited: true,
    },
    serviceRight(({ shift, preview }) => [shift, preview]),
  ],

  refs(model) {
    const { ingress, shift, preview } = objectNames(model);
    return [
      { kind: ingressKind, name: ingress },
      { kind: serviceKind, name: shift },
      { kind: serviceKind, name: preview },
      { kind: ingressKind, name: shift },
      { kind: ingressKind, name: preview },
    ];
  },

  objects(input) {
    const { ingress, previewHeader, routing } = input;
    const { ingress: main, shift, preview, service } = objectNames(input.names ?? input.model);
    const request = requestAnnotations(ingress);
    const header = `req.hdr(${previewHeader}) -m str`;
    // Paths of others on the same host may be longer, and win over the main Ingress's: those requests are not the model's.
    const ofModel = `{ var(txn.path_match) -m sub _${service[base]}_`;
    const share = `${chanceOf(shareOf(routing))} } !{ ${header} ${base} } ${ofModel}`;
    refuseUnsayable("haproxy-tech", input, prefixes, { ...request, [routeAcl]: share });
    refuseUnmatched(ingress);
    const free = ingress.annotations ?? {};
    // What is said of a backend has to be said of each of the three.
    const ofBackend = Object.fromEntries(
      Object.entries(free).filter(([key]) => prefixes.some((one) => key.startsWith(one))),
    );
    const beside = (name: string) =>
      ingressTo(shifted, input, {
        name,
        service: name,
        annotations: { ...ofBackend, ...request, "pulumi.com/skipAwait": "true" },
        // Certificates are the main Ingress's.
        tls: false,
      });
    const pods = selectorOf(input, shifted);
    return [
      ingressTo(base, input, { name: main, annotations: { ...free, ...request }, tls: true }),
      serviceTo(pods, input, {
        name: shift,
        annotations: { [routeAcl]: share, [mainAnnotation]: settled(routing).main },
      }),
      serviceTo(pods, input, {
        name: preview,
        annotations: { [routeAcl]: `${header} ${shifted} } ${ofModel}` },
      }),
      beside(shift),
      beside(preview),
    ];
  },

  read(model, objects) {
    const { ingress, shift } = objectNames(model);
    const found = (kind: typeof ingressKind, name: string) =>
      objects.find((object) => isObject(object, { kind, name }));
    if (backendSlot(model, found(ingressKind, ingress)) !== base) return undefined;
    const service = found(serviceKind, shift);
    // Without one of the two nothing is taken away from the main Ingress.
    if (service === undefined || found(ingressKind, shift) === undefined) return settledOn(base);
    return sharedBy(model, service);
  },

  classOf: ({ className = "" }) => className,
  requestAnnotations,
  advice:
    "Look at the log of the controller (haproxytech/kubernetes-ingress), and whether it serves the class of the Ingress (`ingress.className`).",
};

/** True for this share of the requests, in per cent. */
function chanceOf(share: number): string {
  const { parts, of } = partsOf(share);
  return `rand(${of}) lt ${parts}`;
}

/** Per cent of the requests that are taken away from the main Ingress. */
function shareOf(routing: Routing): number {
  const { main, candidate, weight } = settled(routing);
  return candidate === shifted ? weight : main === shifted ? toShare(100 - weight) : 0;
}

/** What the Service of the shift says; `undefined`: something that the router does not write. */
function sharedBy(model: Named, { metadata }: ObservedObject): Routing | undefined {
  const annotations = metadata?.annotations ?? {};
  const text = annotations[routeAcl];
  if (text === undefined) {
    // Two Ingresses with one path, and no rule between them: HAProxy takes the first line of a sorted map, so the first by its backend's name.
    const { service, shift } = objectNames(model);
    return settledOn(`${service[base]}_` < `${shift}_` ? base : shifted);
  }
  const [, of, number] = /^rand\((100|10000)\) lt (\d{1,5}) \} !\{ /.exec(text) ?? [];
  const share =
    of === undefined || number === undefined ? undefined : toShare((100 * Number(number)) / Number(of));
  if (share === undefined || share > 100) return undefined;
  if (share === 0) return settledOn(base);
  if (share === 100) return settledOn(shifted);
  const noted = annotations[mainAnnotation];
  const main: Slot = isSlot(noted) ? noted : share > 50 ? shifted : base;
  return { main, candidate: otherSlot(main), weight: main === base ? share : toShare(100 - share) };
}

/**
 * A rule compares paths by a regular expression that the controller makes of them, and after they were rewritten.
 * @throws UserError `routing-unsupported`
 */
function refuseUnmatched(ingress: IngressSpec): void {
  const places = placesOf(ingress).filter(({ path }) => path !== "/");
  const [textual] = places.filter(({ pathType }) => pathType === "ImplementationSpecific");
  if (textual !== undefined) {
    throw unsupported(
      "haproxy-tech",
      `the path ${textual.path} is of the type ImplementationSpecific, which the controller takes for the beginning of a text in its map, but for whole parts of a path in the rule that shares requests`,
      'Say pathType: "Prefix" or "Exact".',
    );
  }
  const [special] = places.filter(({ path }) => !/^[A-Za-z0-9/._~%@:=&,-]*$/.test(path));
  if (special !== undefined) {
    throw unsupported(
      "haproxy-tech",
      `the path ${special.path} has characters that mean something else in the regular expression which the controller makes of it`,
      "Use letters, digits and . _ ~ % @ : = & , - in paths, or another router.",
    );
  }
  const [first] = places;
  if (first !== undefined && hasAnnotation(ingress, prefixes, "path-rewrite")) {
    throw unsupported(
      "haproxy-tech",
      `ingress.annotations rewrite the path (path-rewrite), and the rule that shares requests would look for ${first.path} in what they become`,
      "Let the model server serve the path itself, or use the path / on a host of its own, or another router.",
    );
  }
}

/** The controller has no limit of a request's size for one Ingress. */
function requestAnnotations({
  timeout,
  protocol = "http",
}: Pick<IngressSpec, "timeout" | "protocol">): Record<string, string> {
  return {
    ...(timeout === undefined ? {} : { [`${prefix}timeout-server`]: `${timeout}s` }),
    ...(protocol === "grpc" || protocol === "grpcs" ? { [`${prefix}server-proto`]: "h2" } : {}),
    ...(protocol === "https" || protocol === "grpcs" ? { [`${prefix}server-ssl`]: "true" } : {}),
  };
}
