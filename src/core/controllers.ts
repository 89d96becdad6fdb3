/**
 * The ingress controllers that are known by the name that their IngressClasses and GatewayClasses have: the one table of them. What a router writes
 * for them is in the router's own file.
 */

/** Names as this product uses them. */
export const controllerNames = [
  "ingress-nginx",
  "traefik",
  "haproxytech",
  "haproxy-ingress",
  "contour",
  "envoy-gateway",
  "istio",
  "f5-nginx",
  "kong",
  "alb",
  "gce",
  "cilium",
  "apisix",
] as const;
export type ControllerName = (typeof controllerNames)[number];

export interface KnownController {
  readonly name: ControllerName;
  /** As its own documents call it. */
  readonly title: string;
  /** What `spec.controller` of its IngressClasses is, or begins with. @default it serves none */
  readonly ingressClass?: string;
  /** What `spec.controllerName` of its GatewayClasses begins with. @default it serves none */
  readonly gatewayClass?: string;
  /** What the annotations begin with that it reads of an Ingress. */
  readonly annotations: readonly string[];
  /** What a change of an Ingress's backend costs clients, where its own documents or issues say that it does. @default nothing is known of that */
  readonly backendChange?: string;
  /** What whoever still runs it should know. */
  readonly retired?: string;
}

const known: readonly KnownController[] = [
  {
    name: "ingress-nginx",
    title: "ingress-nginx, or Traefik in its place",
    ingressClass: "k8s.io/ingress-nginx",
    annotations: ["nginx.ingress.kubernetes.io/"],
    retired:
      "ingress-nginx was retired in March 2026 and gets no security fixes. Traefik 3.7 or newer reads the same Ingress objects and annotations with its kubernetesIngressNGINX provider: https://doc.traefik.io/traefik/",
  },
  {
    name: "traefik",
    title: "Traefik",
    ingressClass: "traefik.io/ingress-controller",
    gatewayClass: "traefik.io/gateway-controller",
    annotations: ["traefik.ingress.kubernetes.io/"],
  },
  {
    name: "haproxytech",
    title: "HAProxy Kubernetes Ingress Controller (haproxytech)",
    ingressClass: "haproxy.org/ingress-controller",
    annotations: ["haproxy.org/", "haproxy.com/", "ingress.kubernetes.io/"],
  },
  {
    name: "haproxy-ingress",
    title: "HAProxy Ingress (jcmoraisjr)",
    ingressClass: "haproxy-ingress.github.io/controller",
    annotations: ["haproxy-ingress.github.io/", "ingress.kubernetes.io/"],
  },
  {
    name: "contour",
    title: "Contour",
    ingressClass: "projectcontour.io/",
    gatewayClass: "projectcontour.io/",
    annotations: ["projectcontour.io/"],
  },
  {
    name: "envoy-gateway",
    title: "Envoy Gateway",
    gatewayClass: "gateway.envoyproxy.io/",
    annotations: [],
  },
  {
    name: "istio",
    title: "Istio",
    ingressClass: "istio.io/ingress-controller",
    gatewayClass: "istio.io/",
    annotations: [],
  },
  {
    name: "f5-nginx",
    title: "F5's NGINX Ingress Controller",
    ingressClass: "nginx.org/ingress-controller",
    gatewayClass: "gateway.nginx.org/",
    annotations: ["nginx.org/", "nginx.com/"],
  },
  {
    name: "kong",
    title: "Kong",
    ingressClass: "ingress-controllers.konghq.com/",
    gatewayClass: "konghq.com/",
    annotations: ["konghq.com/"],
  },
  {
    name: "alb",
    title: "AWS Load Balancer Controller",
    ingressClass: "ingress.k8s.aws/alb",
    gatewayClass: "gateway.k8s.aws/",
    annotations: ["alb.ingress.kubernetes.io/"],
    backendChange: "it deletes the former target group at once, with every open connection",
  },
  {
    name: "gce",
    title: "GKE Ingress",
    ingressClass: "k8s.io/ingress-gce",
    gatewayClass: "networking.gke.io/",
    annotations: ["networking.gke.io/", "cloud.google.com/"],
    backendChange: "it answers 502 while the former endpoint group is taken down",
  },
  {
    name: "cilium",
    title: "Cilium",
    ingressClass: "cilium.io/ingress-controller",
    gatewayClass: "io.cilium/",
    annotations: ["ingress.cilium.io/"],
  },
  {
    name: "apisix",
    title: "APISIX",
    ingressClass: "apisix.apache.org/",
    gatewayClass: "apisix.apache.org/",
    annotations: ["k8s.apisix.apache.org/"],
  },
];

/** Whose an IngressClass with this `spec.controller` is; `undefined`: of one that is not known. Pure. */
export function controllerOfIngressClass(controller: string): KnownController | undefined {
  return known.find(({ ingressClass }) => ingressClass !== undefined && controller.startsWith(ingressClass));
}

/** Whose a GatewayClass with this `spec.controllerName` is; `undefined`: of one that is not known. Pure. */
export function controllerOfGatewayClass(controllerName: string): KnownController | undefined {
  return known.find(
    ({ gatewayClass }) => gatewayClass !== undefined && controllerName.startsWith(gatewayClass),
  );
}

export function controllerNamed(name: ControllerName): KnownController {
  const found = known.find((one) => one.name === name);
  if (found === undefined) throw new Error(`The table of controllers lacks ${name}.`);
  return found;
}

/** An annotation that says something to other controllers than the one that serves the object. */
export interface IgnoredAnnotation {
  readonly annotation: string;
  /** Those that read it. */
  readonly readBy: readonly KnownController[];
}

/** Annotations that a controller does not read, though another one would. Those of which nothing is known are anybody's. Pure. */
export function ignoredAnnotations(
  annotations: Readonly<Record<string, string>>,
  by: KnownController,
): readonly IgnoredAnnotation[] {
  const isOf = (annotation: string) => (controller: KnownController) =>
    controller.annotations.some((prefix) => annotation.startsWith(prefix));
  return Object.keys(annotations).flatMap((annotation) => {
    const readBy = known.filter(isOf(annotation));
    return readBy.length === 0 || readBy.includes(by) ? [] : [{ annotation, readBy }];
  });
}
