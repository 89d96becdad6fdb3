import * as kubernetes from "@pulumi/kubernetes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStack } from "../../src/engine/open.ts";
import type { Stack, StackOptions } from "../../src/engine/stack.ts";
import { TestNamespace, testImages } from "./test-cluster.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("provider");
});

afterAll(async () => {
  await namespace.remove();
});

function open(name: string, program: StackOptions["program"]): Promise<Stack> {
  return openStack({
    project: "provider",
    stack: name,
    folder: namespace.folder,
    secrets: { kind: "passphrase", passphrase: "only for tests" },
    kubeconfig: { path: namespace.kubeconfigPath },
    events: () => {},
    signal: new AbortController().signal,
    program,
  });
}

interface Declared {
  readonly track: string;
  readonly replicas: number;
  readonly host: string;
}

/** A Deployment, a Service and an Ingress, as `@pulumi/kubernetes` has them in every program. */
function declare({ track, replicas, host }: Declared) {
  const metadata = { name: "model", namespace: namespace.name };
  const labels = { app: "model", track };
  const deployment = new kubernetes.apps.v1.Deployment("model", {
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "model",
              image: testImages.blue,
              imagePullPolicy: "Never",
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: "/v2/health/ready", port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });
  const service = new kubernetes.core.v1.Service(
    "model",
    { metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } },
    { dependsOn: deployment },
  );
  const backend = { service: { name: service.metadata.name, port: { number: 80 } } };
  const ingress = new kubernetes.networking.v1.Ingress("model", {
    metadata,
    spec: {
      ingressClassName: "nginx",
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  });
  return { ready: deployment.status.readyReplicas, address: ingress.status.loadBalancer.ingress[0]?.ip };
}

const path = {
  deployment: () => `/apis/apps/v1/namespaces/${namespace.name}/deployments/model`,
  ingress: () => `/apis/networking.k8s.io/v1/namespaces/${namespace.name}/ingresses/model`,
  service: () => `/api/v1/namespaces/${namespace.name}/services/model`,
};

interface Found {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly replicas?: number; readonly rules?: readonly { readonly host: string }[] };
}

describe("Deployment, Service and Ingress through Pulumi", () => {
  let declared: Declared = { track: "stable", replicas: 1, host: "provider.example.com" };
  let stack: Stack;
  let uid = "";

  beforeAll(async () => {
    stack = await open("story", async () => declare(declared));
  });

  const operations = (result: Awaited<ReturnType<Stack["up"]>>) =>
    result.changes.map(({ operation, kind }) => `${operation} ${kind}`).sort();

  test("are created, and waited for until they serve", async () => {
    const result = await stack.up();
    expect(operations(result)).toEqual(["create Deployment", "create Ingress", "create Service"]);
    expect(result.outputs).toMatchObject({ ready: 1, address: "127.0.0.1" });
    expect(await stack.up()).toMatchObject({ changes: [], same: 3 });
    uid = (await namespace.api.find<Found>(path.deployment()))?.metadata.uid ?? "";
  });

  test("are updated in place", async () => {
    declared = { ...declared, replicas: 2 };
    const preview = await stack.preview();
    expect(preview.changes).toMatchObject([
      {
        operation: "update",
        kind: "Deployment",
        properties: [{ path: "spec.replicas", before: 1, after: 2 }],
      },
    ]);
    expect((await stack.up()).outputs).toMatchObject({ ready: 2 });
    expect((await namespace.api.find<Found>(path.deployment()))?.metadata.uid).toBe(uid);
  });

  test("are replaced where a field cannot change", async () => {
    declared = { ...declared, track: "next" };
    expect(operations(await stack.up())).toEqual(["replace Deployment", "update Service"]);
    expect((await namespace.api.find<Found>(path.deployment()))?.metadata.uid).not.toBe(uid);
  });

  test("are looked up by other programs", async () => {
    const other = await open("reader", async () => {
      const found = kubernetes.apps.v1.Deployment.get("model", `${namespace.name}/model`);
      return { replicas: found.spec.replicas };
    });
    expect((await other.up()).outputs).toEqual({ replicas: 2 });
    await other.destroy({ remove: true });
    expect(await namespace.api.find(path.deployment())).toBeDefined();
  });

  test("come back as declared after changes by hand", async () => {
    await namespace.api.json({
      method: "PATCH",
      path: path.ingress(),
      // As `kubectl edit` does it: its changes are taken back; those of other owners would be a conflict.
      query: { fieldManager: "kubectl-edit" },
      contentType: "application/json-patch+json",
      body: [{ op: "replace", path: "/spec/rules/0/host", value: "drifted.example.com" }],
    });
    await namespace.api.json({ method: "DELETE", path: path.service() });
    // Without a refresh the state knows nothing of it.
    expect(await stack.up()).toMatchObject({ changes: [] });
    await stack.refresh();
    expect(operations(await stack.up())).toEqual(["create Service", "update Ingress"]);
    const ingress = await namespace.api.find<Found>(path.ingress());
    expect(ingress?.spec.rules?.[0]?.host).toBe("provider.example.com");
    expect(await namespace.api.find(path.service())).toBeDefined();
  });

  test("are deleted, and waited for until they are gone", async () => {
    await stack.destroy({ remove: true });
    for (const at of [path.deployment(), path.service(), path.ingress()]) {
      expect(await namespace.api.find(at)).toBeUndefined();
    }
    expect(await stack.outputs()).toBeUndefined();
  });
});
