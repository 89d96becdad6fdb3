import { describe, expect, test } from "vitest";
import { crashed, pod, waiting } from "../fixtures/objects.ts";
import type { PropertyMap } from "../struct.ts";
import { serviceVerdict } from "./service.ts";

const service = (spec: PropertyMap = {}, status: PropertyMap = {}): PropertyMap => ({
  metadata: { name: "s", namespace: "n" },
  spec: { type: "ClusterIP", clusterIP: "10.0.0.1", selector: { app: "d" }, ...spec },
  status,
});

const slice = (...names: string[]): PropertyMap => ({
  endpoints: names.map((name) => ({ conditions: { ready: true }, targetRef: { uid: `pod-${name}` } })),
});

const verdict = (object: PropertyMap, pods: PropertyMap[] = [], endpointSlices: PropertyMap[] = []) =>
  serviceVerdict({ service: object, pods, endpointSlices });

describe("a Service", () => {
  test("without pods is ready at once, and says that there are none", () => {
    expect(verdict(service())).toMatchObject({ state: "ready", note: expect.stringContaining("No pod") });
  });

  test("waits for pods that are starting, and until the endpoints have them", () => {
    expect(verdict(service(), [pod("a", "1"), pod("b", "1", waiting("ContainerCreating"))])).toMatchObject({
      state: "waiting",
      reasons: ["1 of 2 selected pods are ready"],
    });
    expect(verdict(service(), [pod("a", "1")], [slice()]).state).toBe("waiting");
    expect(verdict(service(), [pod("a", "1")], [slice("a")])).toEqual({ state: "ready" });
  });

  test("does not wait for pods that fail, and says so", () => {
    expect(verdict(service(), [pod("a", "1", crashed(1, 1))])).toMatchObject({
      state: "ready",
      note: expect.stringContaining("CrashLoopBackOff"),
    });
  });

  test("does not wait for pods that are on their way out", () => {
    const leaving = pod("a", "1", waiting("ContainerCreating"));
    const metadata = { ...(leaving.metadata as PropertyMap), deletionTimestamp: "2026-01-01T00:00:00Z" };
    expect(verdict(service(), [{ ...leaving, metadata }]).state).toBe("ready");
  });

  test("without selector, without address or with an external name needs no pods", () => {
    const unready = [pod("a", "1", waiting("ContainerCreating"))];
    expect(verdict(service({ selector: {} }), unready)).toEqual({ state: "ready" });
    expect(verdict(service({ clusterIP: "None" }), unready)).toEqual({ state: "ready" });
    expect(verdict(service({ type: "ExternalName" }), unready)).toEqual({ state: "ready" });
  });

  test("of type LoadBalancer waits for its address", () => {
    expect(verdict(service({ type: "LoadBalancer" }))).toMatchObject({ state: "waiting", trouble: true });
    const addressed = service({ type: "LoadBalancer" }, { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } });
    expect(verdict(addressed).state).toBe("ready");
  });
});
