import type { RunningController } from "./controllers.ts";
import type { ModelProject } from "./model-project.ts";
import { until } from "./test-cluster.ts";

const group = "gateway.networking.k8s.io/v1";

/** A Gateway `edge` beside the model, which a Traefik of the tests serves. */
export async function makeEdgeGateway(
  { namespace: { api, name } }: ModelProject,
  { port }: RunningController,
): Promise<void> {
  const put = (path: string, body: object) =>
    api.json({
      method: "PATCH",
      path: `/apis/${group}/${path}`,
      query: { fieldManager: "tests", force: true },
      body,
    });
  await put("gatewayclasses/traefik", {
    apiVersion: group,
    kind: "GatewayClass",
    metadata: { name: "traefik" },
    spec: { controllerName: "traefik.io/gateway-controller" },
  });
  await put(`namespaces/${name}/gateways/edge`, {
    apiVersion: group,
    kind: "Gateway",
    metadata: { name: "edge" },
    spec: { gatewayClassName: "traefik", listeners: [{ name: "web", protocol: "HTTP", port }] },
  });
  await until("the Gateway has an address", async () => {
    const found = await api.find<{ status?: { addresses?: readonly unknown[] } }>(
      `/apis/${group}/namespaces/${name}/gateways/edge`,
    );
    return (found?.status?.addresses ?? []).length > 0;
  });
}
