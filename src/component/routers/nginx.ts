import { defaultPreviewHeader, objectNames } from "../../core/names.ts";
import { changed, finestShare, partsOf, type Routing, sharedAsNear } from "../../core/routing.ts";
import { otherSlot } from "../../core/slots.ts";
import {
  cookieValue,
  defaultCookieValue,
  literally,
  pinCookie,
  releaseOfCookie,
} from "../../core/testers.ts";
import { routerCapabilities } from "./capabilities.ts";
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
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import { ofTesters, testersOf } from "./weighted.ts";

const canary = `${prefix}/canary`;
const canaryWeight = `${prefix}/canary-weight`;
const canaryWeightTotal = `${prefix}/canary-weight-total`;
const canaryHeader = `${prefix}/canary-by-header`;
const canaryPattern = `${prefix}/canary-by-header-pattern`;
const canaryCookie = `${prefix}/canary-by-cookie`;
const affinity = `${prefix}/affinity`;
const affinityMode = `${prefix}/affinity-mode`;
const pinName = `${prefix}/session-cookie-name`;

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
  capabilities: routerCapabilities.nginx,
  neutral: { [canaryWeightTotal]: "100" },
  together: [canaryWeight, canaryWeightTotal],

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
      ...weightAnnotations(routing.weight),
      // Without a header value the header itself says `always` or `never`, so that a proof can force each side.
      [canaryHeader]: input.previewHeader || defaultPreviewHeader,
      ...testerAnnotations(input),
    };
    // Both controllers take these for the canary, too, from the main Ingress.
    const request = requestAnnotations(ingress);
    const { ingress: mainName, canaryIngress: canaryName } = objectNames(input.names ?? input.model);
    const pins = routing.pinned === undefined ? {} : pinAnnotations(mainName, routing.pinned);
    refuseOwnedAnnotations("nginx", ingress, { ...canaryAnnotations, ...request, ...pins });
    return [
      ingressTo(routing.main, input, {
        name: mainName,
        annotations: { ...free, ...request, ...pins },
        tls: true,
      }),
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
    const pinned = pinnedBy(mainName, named(mainName));
    const other = named(canaryName);
    // Without its canary Ingress the main one simply takes everything.
    if (other === undefined) return changed({ main, candidate: otherSlot(main), weight: 0 }, { pinned });
    const candidate = backendSlot(model, other);
    const annotations = other.metadata?.annotations ?? {};
    if (candidate === undefined) return undefined;
    const { testers } = testersOf(other);
    return changed(
      { main, candidate, weight: weightIn(annotations) },
      { pinned, testers: testers === candidate ? testers : undefined },
    );
  },

  requestAnnotations,
  testersProblem({ header, cookie }, previewHeader) {
    if (cookie !== undefined && cookieValue(cookie) !== defaultCookieValue)
      return `a canary Ingress knows cookies by the value "${defaultCookieValue}" only: leave cookie.value out`;
    if (header === undefined) return undefined;
    if (header.name.toLowerCase() !== previewHeader.toLowerCase())
      return `a canary Ingress knows one header, that of the preview: set previewHeader to "${header.name}", or header.name to "${previewHeader}"`;
    return ["always", "never"].includes(header.value)
      ? `"${header.value}" is what the preview header says at all times: testers need a value of their own`
      : undefined;
  },
  advice:
    'Check that the ingress controller reads canary Ingresses (ingress-nginx, or Traefik 3.7 and newer with its kubernetesIngressNGINX provider), or use router: "plain".',
  // Without a header value in the annotations the header itself says `always` or `never`; with the pattern of testers, `always` alone.
  force({ testers }, side) {
    if (side === "candidate") return "always";
    return testers === undefined ? "never" : undefined;
  },
};

/** Of a hundred, which is what controllers take it for by themselves, or of ten thousand. */
function weightAnnotations(weight: number): Readonly<Record<string, string>> {
  const { parts, of } = partsOf(weight);
  return { [canaryWeight]: String(parts), ...(of === 100 ? {} : { [canaryWeightTotal]: String(of) }) };
}

/**
 * The share that a canary Ingress takes, per cent. What somebody else wrote there need not be per cent, or a share at all: controllers leave the
 * latter out, and nothing bars the way back from there.
 */
function weightIn(annotations: Readonly<Record<string, string>>): number {
  // Controllers read whole numbers; what is none is no share.
  const whole = (text: string) => (/^\d+$/.test(text) ? Number(text) : Number.NaN);
  const [weight, total] = [
    whole(annotations[canaryWeight] ?? "0"),
    whole(annotations[canaryWeightTotal] ?? "100"),
  ];
  if (annotations[canary] !== "true" || !(weight > 0) || !(total > 0)) return 0;
  if (weight >= total) return 100;
  return sharedAsNear((100 * weight) / total, finestShare);
}

/** How testers are told from others: by the preview header with another value, and by a cookie. */
function testerAnnotations(input: RouterInput): Readonly<Record<string, string>> {
  const { testers, routing } = input;
  if (testers === undefined || routing.testers === undefined || routing.testers !== routing.candidate)
    return {};
  const { header, cookie } = testers;
  return {
    ...ofTesters(input),
    ...(header === undefined ? {} : { [canaryPattern]: `^(always|${literally(header.value)})$` }),
    ...(cookie === undefined ? {} : { [canaryCookie]: cookie.name }),
  };
}

/** Both controllers keep clients by cookies that they set themselves: which slot, and which of its pods. */
function pinAnnotations(main: string, release: number): Readonly<Record<string, string>> {
  return { [affinity]: "cookie", [affinityMode]: "persistent", [pinName]: pinCookie(main, release) };
}

function pinnedBy(main: string, object: ObservedObject | undefined): Routing["pinned"] {
  const annotations = object?.metadata?.annotations ?? {};
  return annotations[affinity] === "cookie" ? releaseOfCookie(main, annotations[pinName]) : undefined;
}
