import type { RouterName } from "../../../src/core/router-names.ts";
import type { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { type RunningController, traefikClass } from "../controllers.ts";
import { makeEdgeGateway } from "../edge-gateway.ts";
import type { ModelProject } from "../model-project.ts";
import { isSoak } from "../soak.ts";
import { contourClass } from "./contour.ts";
import { envoyGateway } from "./envoy-gateway.ts";

export type ControllerOfTests = "traefik" | "contour" | "envoy-gateway";

/** How a router's controller runs in these tests, and what a model says to be behind it. */
export interface Front {
  readonly router: RouterName;
  /** The column of the matrix, where a router has more than one. @default the router's name */
  readonly title?: string;
  readonly controller: ControllerOfTests;
  /** Where a command is killed in the ordinary run; the long one kills at every boundary. */
  readonly killedAt: string;
  /** What the router can and this controller cannot, by what it is lacking. @default it can all of it */
  readonly lacks?: { readonly copies?: string; readonly counters?: string };
  /** Makes what is somebody else's. */
  readonly prepare: (project: ModelProject, controller: RunningController) => Promise<void>;
  /** `ingress` of the configuration. */
  readonly ingress: (
    project: ModelProject,
    controller: RunningController,
  ) => Readonly<Record<string, unknown>>;
}

const nothing = () => Promise.resolve();
const at = ({ host }: ModelProject, { url }: RunningController) => ({ host, endpoints: [url] });

const ofIngressClass = (router: RouterName, killedAt: string): Front => ({
  router,
  controller: "traefik",
  killedAt,
  prepare: ({ namespace }) => makeIngressClass(namespace.api),
  ingress: (project, controller) => ({ ...at(project, controller), className: traefikClass.name }),
});

const ofGateway = (router: RouterName, killedAt: string): Front => ({
  router,
  controller: "traefik",
  killedAt,
  prepare: makeEdgeGateway,
  // The proof finds the address in the Gateway's status, and the port at its listener.
  ingress: ({ host }) => ({ host, gateway: { name: "edge" } }),
});

const all: readonly Front[] = [
  ofIngressClass("nginx", "done:write-shift"),
  {
    router: "traefik",
    controller: "traefik",
    killedAt: "started:prove-shift",
    prepare: nothing,
    ingress: at,
  },
  { ...ofGateway("gateway-api", "done:prove-shift"), lacks: { copies: "HTTPRouteRequestPercentageMirror" } },
  ofGateway("gateway-api-grpc", "done:prove-shift"),
  {
    router: "contour",
    controller: "contour",
    killedAt: "done:write-shift",
    prepare: nothing,
    ingress: (project, controller) => ({ ...at(project, controller), className: contourClass }),
  },
  ofIngressClass("plain", "done:write-switch"),
];

/** Only in `npm run test:soak`: these take long to build. */
const behindEnvoyGateway: readonly Front[] = [
  {
    router: "gateway-api",
    title: "gateway-api (Envoy Gateway)",
    controller: "envoy-gateway",
    killedAt: "done:prove-shift",
    lacks: { counters: "a cluster for each slot" },
    prepare: nothing,
    ingress: (project, controller) => ({ ...at(project, controller), gateway: envoyGateway }),
  },
];

const long: readonly RouterName[] = ["plain"];

/** Why a router is not among those above; one that is in neither list is a hole. */
export const notRun: Readonly<Record<string, string>> = {
  ...(isSoak ? {} : Object.fromEntries(long.map((name) => [name, "only in `npm run test:soak`"]))),
  haproxy: "its controller is in no package registry: tried by hand",
  "haproxy-tech": "its controller is in no package registry: tried by hand",
  alb: "its controller needs a cloud account",
  istio: "its controller needs a mesh in the cluster",
  "nginx-inc": "its controller is in no package registry",
};

export const fronts: readonly Front[] = isSoak
  ? [...all, ...behindEnvoyGateway]
  : all.filter(({ router }) => !long.includes(router));

export const columnOf = ({ router, title }: Front): string => title ?? router;

export async function makeIngressClass(api: KubernetesApi): Promise<void> {
  const { name, controller } = traefikClass;
  await api.json({
    method: "PATCH",
    path: `/apis/networking.k8s.io/v1/ingressclasses/${name}`,
    query: { fieldManager: "tests", force: true },
    body: {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name },
      spec: { controller },
    },
  });
}
