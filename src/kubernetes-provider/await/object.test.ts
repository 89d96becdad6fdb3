import { describe, expect, test } from "vitest";
import { subject, urnOf } from "../fixtures/subject.ts";
import type { PropertyMap } from "../struct.ts";
import {
  claimVerdict,
  conventionalVerdict,
  quotaVerdict,
  replicationControllerVerdict,
  secretVerdict,
  volumeVerdict,
} from "./object.ts";

const phase = (name: string): PropertyMap => ({ status: { phase: name } });

describe("objects that tell their own readiness", () => {
  test("a volume is ready when it is available or bound", () => {
    expect(
      ["Pending", "Available", "Bound", "Failed"].map((name) => volumeVerdict(phase(name)).state),
    ).toEqual(["waiting", "ready", "ready", "failed"]);
  });

  test("a claim is ready when it is bound, or when that waits for the first pod", () => {
    const claim = (name: string, storageClassName?: string) => ({
      ...phase(name),
      spec: storageClassName === undefined ? {} : { storageClassName },
    });
    const storageClass = (name: string, volumeBindingMode: string) => ({
      metadata: { name },
      volumeBindingMode,
      provisioner: "example.com/p",
    });
    const classes = [storageClass("late", "WaitForFirstConsumer"), storageClass("soon", "Immediate")];
    const verdict = (...about: Parameters<typeof claim>) => claimVerdict({ claim: claim(...about), classes });
    expect(verdict("Bound", "soon").state).toBe("ready");
    expect(verdict("Lost", "soon").state).toBe("failed");
    expect(verdict("Pending", "late").state).toBe("ready");
    expect(verdict("Pending", "soon")).toMatchObject({
      reasons: [/no volume/, /example\.com\/p/].map(matching),
    });
    expect(verdict("Pending", "gone")).toMatchObject({
      reasons: [/no volume/, /"gone".*late, soon/].map(matching),
    });
    expect(verdict("Pending")).toMatchObject({ reasons: [/no volume/, /no storage class/].map(matching) });
  });

  test("a replication controller is ready when its replicas are available, none at all included", () => {
    const controller = (replicas: number, availableReplicas?: number): PropertyMap => ({
      spec: { replicas },
      status: availableReplicas === undefined ? {} : { availableReplicas },
    });
    expect(replicationControllerVerdict(controller(2, 2)).state).toBe("ready");
    expect(replicationControllerVerdict(controller(2, 1)).state).toBe("waiting");
    expect(replicationControllerVerdict(controller(0)).state).toBe("ready");
  });

  test("a quota is ready when it is in force", () => {
    const quota = (hard: string) => ({ spec: { hard: { pods: "02" } }, status: { hard: { pods: hard } } });
    expect(quotaVerdict(quota("2")).state).toBe("ready");
    expect(quotaVerdict(quota("1")).state).toBe("waiting");
  });

  test("only a token's Secret is waited for", () => {
    const token = { kind: "Secret", type: "kubernetes.io/service-account-token" };
    expect(secretVerdict({ kind: "Secret", type: "Opaque" }).state).toBe("ready");
    expect(secretVerdict(token).state).toBe("waiting");
    expect(secretVerdict({ ...token, data: { token: "x" } }).state).toBe("ready");
  });

  test("a token for a ServiceAccount that does not exist is not waited for in vain", async () => {
    const metadata = {
      name: "t",
      namespace: "n",
      annotations: { "kubernetes.io/service-account.name": "nobody" },
    };
    const type = "kubernetes.io/service-account-token";
    const secret: PropertyMap = { apiVersion: "v1", kind: "Secret", metadata, type };
    const { provider } = subject((request) => (request.method === "POST" ? { body: secret } : undefined));
    const urn = urnOf("core/v1:Secret", "t");
    const created = provider.create({ urn, inputs: secret, timeoutSeconds: 0, preview: false });
    await expect(created).rejects.toThrow(/deleted.*does the ServiceAccount "nobody" exist/);
  });
});

describe("the conventions for status", () => {
  const object = (generation: number, ...conditions: PropertyMap[]): PropertyMap => ({
    metadata: { generation },
    status: { observedGeneration: 1, conditions },
  });
  const said = (type: string, status: string) => ({ type, status, message: "why" });

  test.each<[string, PropertyMap, string]>([
    ["no status at all", {}, "ready"],
    ["no condition that says something", object(1, said("Synced", "False")), "ready"],
    ["Ready", object(1, said("Ready", "True")), "ready"],
    ["not ready", object(1, said("Ready", "False")), "waiting"],
    ["not known to be ready", object(1, said("Ready", "Unknown")), "waiting"],
    ["an older generation", object(2, said("Ready", "True")), "waiting"],
    ["reconciling", object(1, said("Reconciling", "True"), said("Ready", "True")), "waiting"],
    ["stalled", object(1, said("Stalled", "True")), "failed"],
    ["being deleted", { metadata: { deletionTimestamp: "now" } }, "waiting"],
  ])("%s", (_what, given, state) => {
    expect(conventionalVerdict(given).state).toBe(state);
  });

  test("count for a custom resource where the environment asks for it", async () => {
    const inputs: PropertyMap = {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AnalysisTemplate",
      metadata: { name: "x", namespace: "n" },
    };
    const urn = urnOf("argoproj.io/v1alpha1:AnalysisTemplate", "x");
    let looks = 0;
    const cluster = () => {
      const status = { conditions: [said("Ready", ++looks < 4 ? "False" : "True")] };
      return { body: { ...inputs, status } };
    };
    const creating = { urn, inputs, timeoutSeconds: 0, preview: false };
    await subject(cluster).provider.create(creating);
    expect(looks).toBe(1);
    looks = 0;
    const asked = subject(cluster, {}, { PULUMI_K8S_AWAIT_ALL: "true" });
    await asked.provider.create(creating);
    expect(looks).toBe(4);
    expect(asked.told).toContain("… Not ready: why");
  });
});

const matching = (pattern: RegExp) => expect.stringMatching(pattern);
