import * as kubernetes from "@pulumi/kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operations, ProviderStack } from "./provider-stack.ts";
import { TestNamespace } from "./test-cluster.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("replacements");
});

afterAll(async () => {
  await namespace.remove();
});

/** Objects of every kind with fields that belong to them for life, first as they are and then changed there. */
function declare(changed: boolean): void {
  const either = <T>(before: T, after: T): T => (changed ? after : before);
  const inNamespace = { namespace: namespace.name };
  const named = (name: string) => ({ metadata: { ...inNamespace, name } });
  const auto = { metadata: inNamespace };
  const { core, batch, rbac, storage, apps } = kubernetes;
  const data = either({ a: "1" }, { a: "2" });
  new core.v1.ConfigMap("named", { ...named("named"), data });
  new core.v1.ConfigMap("auto", { ...auto, data });
  new core.v1.Secret("auto-secret", { ...auto, stringData: data });
  new core.v1.Secret("typed", {
    ...named("typed"),
    type: either("example.com/one", "example.com/two"),
  });
  const mutable = new kubernetes.Provider("mutable", {
    enableConfigMapMutable: true,
    enableSecretMutable: true,
    kubeconfig: namespace.kubeconfigPath,
  });
  new core.v1.ConfigMap("mutable", { ...named("mutable"), data }, { provider: mutable });
  new core.v1.ConfigMap("frozen", { ...named("frozen"), data, immutable: true }, { provider: mutable });
  new core.v1.ConfigMap(
    "thawed",
    { ...named("thawed"), data: { a: "1" }, immutable: either(true, false) },
    { provider: mutable },
  );
  const selector = { app: "nothing" };
  const clusterIP = either(undefined, "None");
  new core.v1.Service("service", {
    ...named("service"),
    spec: { selector, ports: [{ port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP }) },
  });
  const labels = either({ app: "one" }, { app: "two" });
  const pod = {
    metadata: { labels },
    spec: {
      restartPolicy: "Never",
      containers: [{ name: "c", image: "localhost/none:1", imagePullPolicy: "Never" }],
    },
  };
  const skipAwait = { annotations: { "pulumi.com/skipAwait": "true" } };
  new batch.v1.Job("job", {
    metadata: { ...inNamespace, ...skipAwait },
    spec: { suspend: true, template: pod },
  });
  const workload = { replicas: 0, selector: { matchLabels: labels } };
  const template = { metadata: { labels }, spec: { ...pod.spec, restartPolicy: "Always" } };
  new apps.v1.Deployment("deployment", { ...named("deployment"), spec: { ...workload, template } });
  new apps.v1.StatefulSet("set", {
    ...named("set"),
    spec: {
      ...workload,
      selector: { matchLabels: { app: "set" } },
      template: { metadata: { labels: { app: "set" } }, spec: template.spec },
      serviceName: either("one", "two"),
    },
  });
  const never = new storage.v1.StorageClass("class", {
    provisioner: "example.com/none",
    volumeBindingMode: "WaitForFirstConsumer",
    parameters: { kind: either("slow", "fast") },
  });
  new core.v1.PersistentVolumeClaim("claim", {
    ...named("claim"),
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: never.metadata.name,
    },
  });
  new rbac.v1.RoleBinding("binding", {
    ...named("binding"),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: either("one", "two") },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace: namespace.name }],
  });
  new core.v1.ResourceQuota("quota", {
    ...named("quota"),
    spec: { hard: { pods: "0010" }, scopes: either(["BestEffort"], ["NotBestEffort"]) },
  });
}

interface Found {
  readonly metadata: { readonly uid: string };
}

test("objects are replaced where a field is theirs for life, those with a fixed name after their deletion", async () => {
  const stack = new ProviderStack(namespace, "replacements");
  await stack.with(() => declare(false));
  await stack.up();
  expect(await stack.up()).toMatchObject({ changes: [] });
  const uid = async (path: string) =>
    (await namespace.api.find<Found>(path.replace("NAMESPACE", `namespaces/${namespace.name}`)))?.metadata
      .uid;
  const named = [
    "/api/v1/NAMESPACE/configmaps/named",
    "/api/v1/NAMESPACE/secrets/typed",
    "/api/v1/NAMESPACE/services/service",
    "/apis/apps/v1/NAMESPACE/deployments/deployment",
    "/apis/rbac.authorization.k8s.io/v1/NAMESPACE/rolebindings/binding",
  ];
  const before = await Promise.all(named.map(uid));
  const autoBefore = (await stack.resource("auto"))?.id;

  await stack.with(() => declare(true));
  const replaced = await stack.up();
  expect(operations(replaced)).toEqual([
    "replace ConfigMap",
    "replace ConfigMap",
    "replace ConfigMap",
    "replace ConfigMap",
    "replace Deployment",
    "replace Job",
    "replace PersistentVolumeClaim",
    "replace ResourceQuota",
    "replace RoleBinding",
    "replace Secret",
    "replace Secret",
    "replace Service",
    "replace StatefulSet",
    "replace StorageClass",
    "update ConfigMap",
  ]);
  const after = await Promise.all(named.map(uid));
  for (const [index, path] of named.entries()) {
    expect(after[index], path).toBeDefined();
    expect(after[index], path).not.toBe(before[index]);
  }
  const auto = (await stack.resource("auto"))?.id;
  expect(auto).not.toBe(autoBefore);
  expect(await uid(`/api/v1/NAMESPACE/configmaps/${auto?.split("/")[1]}`)).toBeDefined();
  expect(await uid(`/api/v1/NAMESPACE/configmaps/${autoBefore?.split("/")[1]}`)).toBeUndefined();
  expect(await stack.up()).toMatchObject({ changes: [] });
  await stack.destroy();
});
