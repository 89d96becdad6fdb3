import type { RouterName } from "../../../src/core/router-names.ts";
import type { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { type RunningController, traefikClass } from "../controllers.ts";
import { makeEdgeGateway } from "../edge-gateway.ts";
import type { ModelProject } from "../model-project.ts";
import { isSoak } from "../soak.ts";
import { contourClass } from "./contour.ts";

/** How a router's controller runs in these tests, and what a model says to be behind it. */
export interface Front {
  readonly router: RouterName;
  readonly controller: "traefik" | "contour";
  /** Where a command is killed in the ordinary run; the long one kills at every boundary. */
  readonly killedAt: string;
  /** The feature of a GatewayClass that copies take and this controller does not name. @default none */
  readonly lacksCopies?: string;
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
  { ...ofGateway("gateway-api", "done:prove-shift"), lacksCopies: "HTTPRouteRequestPercentageMirror" },
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

export const fronts: readonly Front[] = all.filter(({ router }) => isSoak || !long.includes(router));

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
