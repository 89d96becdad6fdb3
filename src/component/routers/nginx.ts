import { defaultPreviewHeader, objectNames } from "../../core/names.ts";
import { otherSlot } from "../../core/slots.ts";
import { ingressNginx } from "./counters/ingress-nginx.ts";
import { traefikNginx } from "./counters/traefik.ts";
import {
  backendSlot,
  type IngressManifest,
  ingressKind,
  ingressTo,
  ofIngresses,
  refuseInvalidRouting,
  refuseOwnedAnnotations,
} from "./main-ingress.ts";
import { nginxPrefix as prefix, requestAnnotations } from "./nginx-request.ts";
import type { Router } from "./router.ts";

const canary = `${prefix}/canary`;
const canaryWeight = `${prefix}/canary-weight`;
const canaryWeightTotal = `${prefix}/canary-weight-total`;
const canaryHeader = `${prefix}/canary-by-header`;

/** ingress-nginx takes every other annotation of a canary from its main Ingress, but these from the canary itself. */
const perBackend = [
  "load-balance",
  "upstream-hash-by",
  "upstream-hash-by-subset",
  "upstream-hash-by-subset-size",
];

/**
 * The canary annotations of ingress-nginx, which Traefik 3.7 and newer read as well: a main Ingress, and a canary Ingress
 * beside it that takes `weight` per cent of the requests, and those whose preview header says `always`.
 */
export const nginx: Router<IngressManifest> = {
  name: "nginx",
  // Others serve the canary Ingress as one more of the same host and path.
  readBy: ["ingress-nginx"],
  counters: [traefikNginx, ingressNginx],
  ...ofIngresses,
  capabilities: {
    weights: true,
    commit: true,
    header: true,
    cookie: false,
    headerRegex: false,
    mirror: false,
    mirrorPercent: false,
    sticky: false,
    stickyOverridesHeader: undefined,
    reloadOnSwitch: undefined,
    needsUnionService: false,
    timeout: true,
    bodySize: true,
    backendProtocol: true,
  },

  refs(model) {
    const names = objectNames(model);
    return [
      { kind: ingressKind, name: names.ingress },
      { kind: ingressKind, name: names.canaryIngress },
    ];
  },

  objects(input) {
    const { routing, ingress } = input;
    const free = ingress.annotations ?? {};
    refuseInvalidRouting(routing);
    const shared = Object.fromEntries(
      perBackend
        .map((name) => `${prefix}/${name}`)
        .flatMap((key) => {
          const value = free[key];
          return value === undefined ? [] : [[key, value]];
        }),
    );
    const canaryAnnotations = {
      [canary]: "true",
      [canaryWeight]: String(routing.weight),
      // Without a header value the header itself says `always` or `never`, so that a proof can force each side.
      [canaryHeader]: input.previewHeader || defaultPreviewHeader,
    };
    // Both controllers take these for the canary, too, from the main Ingress.
    const request = requestAnnotations(ingress);
    refuseOwnedAnnotations("nginx", ingress, { ...canaryAnnotations, ...request });
    const { ingress: mainName, canaryIngress: canaryName } = objectNames(input.names ?? input.model);
    return [
      ingressTo(routing.main, input, { name: mainName, annotations: { ...free, ...request }, tls: true }),
      ingressTo(routing.candidate, input, {
        name: canaryName,
        annotations: {
          ...shared,
          ...canaryAnnotations,
          // A controller gives no status to a canary that it does not use at the moment; Pulumi would wait for one.
          "pulumi.com/skipAwait": "true",
        },
        // Certificates are the main Ingress's: a second `tls` for the same host makes cert-manager issue a second one.
        tls: false,
      }),
    ];
  },

  read(model, objects) {
    const { ingress: mainName, canaryIngress: canaryName } = objectNames(model);
    const named = (name: string | undefined) => objects.find((object) => object.metadata?.name === name);
    const main = backendSlot(model, named(mainName));
    if (main === undefined) return undefined;
    const other = named(canaryName);
    // Without its canary Ingress the main one simply takes everything.
    if (other === undefined) return { main, candidate: otherSlot(main), weight: 0 };
    const candidate = backendSlot(model, other);
    const annotations = other.metadata?.annotations ?? {};
    const weight = Number(annotations[canaryWeight] ?? "0");
    const total = annotations[canaryWeightTotal] ?? "100";
    if (candidate === undefined || annotations[canary] !== "true" || total !== "100") return undefined;
    if (!Number.isInteger(weight) || weight < 0 || weight > 100) return undefined;
    return { main, candidate, weight };
  },

  requestAnnotations,
  advice:
    'Check that the ingress controller reads canary Ingresses (ingress-nginx, or Traefik 3.7 and newer with its kubernetesIngressNGINX provider), or use router: "plain".',
  // Without a header value in the annotations the header itself says `always` or `never`.
  force: (_, side) => (side === "candidate" ? "always" : "never"),
};
