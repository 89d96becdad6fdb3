import type { Groundless, ObservedObject, Wishes } from "./router.ts";

/** What not every implementation of the Gateway API has: its GatewayClass says it, or its name does. */

interface ClassStatus {
  /** Names; before Gateway API 1.2 just these. */
  readonly supportedFeatures?: readonly (string | { readonly name?: string })[];
}

/**
 * Controllers that take a header as a regular expression, of which no feature tells: a rule that one does not know may cost a whole route.
 * Envoy Gateway, Istio, Contour, Traefik, kgateway, agentgateway, NGINX Gateway Fabric, Cilium: from their documentation or source.
 */
const knowRegularExpressions = [
  "gateway.envoyproxy.io/",
  "istio.io/",
  "projectcontour.io/",
  "traefik.io/",
  "kgateway.dev/",
  "agentgateway.dev/",
  "gateway.nginx.org/",
  "io.cilium/",
];

/** Features of controllers whose classes name none: from their source, and run in the kit of cases. */
const knownFeatures: Readonly<Record<string, readonly string[]>> = {
  // 1.9 leaves the field out: it was experimental for too long.
  "gateway.envoyproxy.io/": [
    "HTTPRouteRequestMirror",
    "HTTPRouteRequestPercentageMirror",
    "BackendTLSPolicy",
  ],
};

function featuresOf(
  controllerName: string,
  status: ClassStatus | undefined,
): readonly (string | undefined)[] {
  const said = status?.supportedFeatures ?? [];
  if (said.length > 0) return said.map((one) => (typeof one === "string" ? one : one.name));
  const known = Object.entries(knownFeatures).find(([name]) => controllerName.startsWith(name));
  return known?.[1] ?? [];
}

/** Why the controller of a class would not do what the model asks for; `undefined`: it does. Pure. */
export function wishesGround(
  name: string,
  { spec, status }: ObservedObject,
  { cookie, mirror, https = false }: Wishes,
): Groundless | undefined {
  const { controllerName = "" } = (spec ?? {}) as { readonly controllerName?: string };
  const who = `The GatewayClass ${name} (controller ${controllerName})`;
  if (cookie && !knowRegularExpressions.some((one) => controllerName.startsWith(one))) {
    return {
      code: "gateway-lacks-feature",
      message: `${who} is not known to match headers by a regular expression, which testers with a cookie take (routing.testers.cookie).`,
      hint: "Let testers send a header (routing.testers.header).",
    };
  }
  const features = featuresOf(controllerName, status as ClassStatus | undefined);
  if (https && !features.includes("BackendTLSPolicy")) {
    return {
      code: "gateway-lacks-feature",
      message: `${who} does not name the feature BackendTLSPolicy in its status, which ingress.protocol "https" takes.`,
      hint: 'Choose a Gateway of a class that names it, or set ingress.protocol to "http".',
    };
  }
  if (mirror === undefined) return undefined;
  const needed = mirror === 100 ? "HTTPRouteRequestMirror" : "HTTPRouteRequestPercentageMirror";
  if (features.includes(needed)) return undefined;
  const canMirror = features.includes("HTTPRouteRequestMirror");
  return {
    code: "gateway-lacks-feature",
    message: `${who} does not name the feature ${needed} in its status, which rollout.shadow takes.`,
    hint: canMirror
      ? "It can copy all requests: set rollout.shadow.percent to 100, or leave rollout.shadow out."
      : "Leave rollout.shadow out, or choose a Gateway of a class that names it.",
  };
}

/** What nobody here may look at is not taken to be there. */
export function unseenWishes(
  where: string,
  { cookie, mirror, https = false }: Wishes,
): Groundless | undefined {
  const [wish] = [
    ...(mirror === undefined ? [] : ["rollout.shadow"]),
    ...(cookie ? ["routing.testers.cookie"] : []),
    ...(https ? ["ingress.protocol"] : []),
  ];
  if (wish === undefined) return undefined;
  return {
    code: "gateway-unseen",
    message: `Whether the controller of the Gateway ${where} can do what ${wish} asks for is not to be seen: this account may not read the Gateway or its class.`,
    hint: `Let it read gateways and gatewayclasses (docs/security.md), or leave ${wish} out.`,
  };
}
