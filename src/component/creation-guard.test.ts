import { describe, expect, test } from "vitest";
import { FakeCluster, refusal } from "../../test/support/rollout-bench.ts";
import { settledOn } from "../core/routing.ts";
import type { Slot } from "../core/slots.ts";
import { refuseRemovedSlot, refuseTakenHost } from "./creation-guard.ts";
import { nginx } from "./routers/nginx.ts";

const guarded = { model: "fraud", namespace: "ml", router: nginx };
const routed = (live: Slot, model = "fraud") =>
  nginx.objects({
    model,
    namespace: "ml",
    routing: settledOn(live),
    ingress: { host: "ml.example.com" },
    previewHeader: "X-Preview",
    servicePort: 80,
  });

describe("a new Ingress", () => {
  const all = "/apis/networking.k8s.io/v1/ingresses";
  const [main] = routed("blue");
  const [other, canary] = routed("blue", "ranking").map((object) => ({
    ...object,
    metadata: { ...object.metadata, namespace: "shop" },
  }));
  const list = (cluster: FakeCluster, path: string, ...items: unknown[]) =>
    cluster.put(path, { items } as never);

  test("for hosts and paths that a model in another namespace has is refused", async () => {
    const cluster = new FakeCluster();
    list(cluster, all, canary, other);
    await expect(refuseTakenHost(cluster, guarded, main as never)).rejects.toMatchObject({
      code: "host-taken",
      message: expect.stringContaining(
        'the Ingress shop/ranking (of the model "ranking") has ml.example.com/',
      ),
    });
  });

  test("passes beside the model's own, other hosts, and paths within", async () => {
    const cluster = new FakeCluster();
    const elsewhere = { ...other, spec: { ...other?.spec, rules: [{ host: "other.example.com" }] } };
    const within = structuredClone(other) as unknown as {
      spec: { rules: { http: { paths: { path: string }[] } }[] };
    };
    for (const { http } of within.spec.rules) for (const path of http.paths) path.path = "/.well-known";
    list(cluster, all, ...routed("blue"), canary, elsewhere, within);
    await refuseTakenHost(cluster, guarded, main as never);
  });

  test("is compared with those of the namespace where no others may be listed, or with none", async () => {
    const cluster = new FakeCluster();
    const here = { ...other, metadata: { ...other?.metadata, namespace: "ml" } };
    list(cluster, "/apis/networking.k8s.io/v1/namespaces/ml/ingresses", here);
    cluster.intercept = ({ path }) => (path === all ? refusal(403, "Forbidden") : undefined);
    await expect(refuseTakenHost(cluster, guarded, main as never)).rejects.toMatchObject({
      code: "host-taken",
    });
    cluster.intercept = ({ path }) => (path.endsWith("/ingresses") ? refusal(403, "Forbidden") : undefined);
    await refuseTakenHost(cluster, guarded, main as never);
  });
});

describe("a slot that loses its image", () => {
  const cluster = (live: Slot, labels: object) => {
    const made = new FakeCluster();
    for (const slot of ["blue", "green"] as const)
      made.put(`/apis/apps/v1/namespaces/ml/deployments/fraud-${slot}`, {
        metadata: { labels: { ...labels } },
      });
    for (const object of routed(live))
      made.put(`/apis/networking.k8s.io/v1/namespaces/ml/ingresses/${object.metadata.name}`, object as never);
    return made;
  };
  const ours = { "app.kubernetes.io/managed-by": "modelswitch", "app.kubernetes.io/instance": "fraud" };

  test("is refused while it carries traffic, and where it is to", async () => {
    await expect(refuseRemovedSlot(cluster("blue", ours), guarded, "blue", true)).rejects.toMatchObject({
      code: "live-slot-removed",
      message: expect.stringContaining("blue carries 100 % of the traffic"),
    });
    await expect(refuseRemovedSlot(cluster("blue", ours), guarded, "blue", false)).rejects.toMatchObject({
      code: "live-slot-removed",
    });
    await expect(refuseRemovedSlot(cluster("green", ours), guarded, "blue", true)).rejects.toMatchObject({
      message: expect.stringContaining("blue is to carry the traffic"),
    });
  });

  test("passes where it carries none, or its pods are somebody else's", async () => {
    await refuseRemovedSlot(cluster("green", ours), guarded, "blue", false);
    await refuseRemovedSlot(cluster("blue", { app: "mine" }), guarded, "blue", true);
    await refuseRemovedSlot(new FakeCluster(), guarded, "blue", true);
  });
});
