import { expect, test } from "vitest";
import { testBench, testConfig } from "../../../test/support/rollout-bench.ts";
import { requireServed } from "./require-served.ts";

const config = testConfig({ router: "traefik", endpoints: ["http://127.0.0.1:8080"] });
const group = "/apis/traefik.io/v1alpha1";

test("kinds that the cluster does not know are named, and nothing is written", async () => {
  const bench = testBench();
  await expect(requireServed(bench.context(config), { ingress: undefined })).rejects.toMatchObject({
    code: "router-kinds-missing",
    exitCode: 2,
    message: expect.stringContaining("IngressRoute (traefik.io/v1alpha1) and TraefikService"),
  });
  bench.cluster.put(group, { resources: [{ name: "ingressroutes" }] } as never);
  await expect(requireServed(bench.context(config), { ingress: undefined })).rejects.toMatchObject({
    details: { missing: ["TraefikService"] },
  });
  bench.cluster.put(group, { resources: [{ name: "ingressroutes" }, { name: "traefikservices" }] } as never);
  await requireServed(bench.context(config), { ingress: undefined });
});
