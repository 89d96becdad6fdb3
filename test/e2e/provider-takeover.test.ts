import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asMap } from "../../src/kubernetes-provider/fixtures/recorded-cluster.ts";
import { type RecordedResource, recordedStates } from "../../src/kubernetes-provider/fixtures/recordings.ts";
import { nameOf, namespaceOf, text } from "../../src/kubernetes-provider/objects.ts";
import { type PropertyMap, reveal } from "../../src/kubernetes-provider/struct.ts";
import { operations, ProviderStack } from "./provider-stack.ts";
import { TestNamespace, testImages } from "./test-cluster.ts";

let namespace: TestNamespace;
/** Stands for the namespace `models` of the recordings. */
let models: string;

beforeAll(async () => {
  namespace = await TestNamespace.create("takeover");
  models = `${namespace.name}-models`;
  await namespace.api.request({
    method: "POST",
    path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    body: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "analysistemplates.argoproj.io" },
      spec: {
        group: "argoproj.io",
        scope: "Namespaced",
        names: { plural: "analysistemplates", kind: "AnalysisTemplate" },
        versions: [
          {
            name: "v1alpha1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    },
  });
});

afterAll(async () => {
  await namespace.api.request({ method: "DELETE", path: `/api/v1/namespaces/${models}` });
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await namespace.api.request({ method: "DELETE", path: `${definitions}/analysistemplates.argoproj.io` });
  await namespace.remove();
});

/** The state that the official provider left after the recording `2-create`, with the names of this cluster. */
function recordedState(): readonly RecordedResource[] {
  const recorded = recordedStates.find(({ recording }) => recording === "2-create")?.resources ?? [];
  const here = JSON.stringify(recorded.filter(({ external }) => external !== true))
    .replaceAll('"models"', JSON.stringify(models))
    .replaceAll('"models/', `"${models}/`)
    .replaceAll("localhost/model:2", testImages.blue)
    .replaceAll("trace.example.com", `${namespace.name}.example.com`);
  return JSON.parse(here) as RecordedResource[];
}

const paths: Readonly<Record<string, string>> = {
  Namespace: "/api/v1/namespaces",
  ConfigMap: "/api/v1/namespaces/NAMESPACE/configmaps",
  Secret: "/api/v1/namespaces/NAMESPACE/secrets",
  Service: "/api/v1/namespaces/NAMESPACE/services",
  Deployment: "/apis/apps/v1/namespaces/NAMESPACE/deployments",
  Ingress: "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses",
  AnalysisTemplate: "/apis/argoproj.io/v1alpha1/namespaces/NAMESPACE/analysistemplates",
};

const collectionOf = (object: PropertyMap) =>
  (paths[text(object, "kind")] ?? "").replace("NAMESPACE", namespaceOf(object));

/** Secrets of a state that is not encrypted. */
const plaintext = (_key: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && "plaintext" in value
    ? JSON.parse(String(value.plaintext))
    : value;

const kubeconfig = () => readFileSync(namespace.kubeconfigPath, "utf8");

/** Makes the object as the official provider did, and gives its resource as that one's state has it. */
async function createAsOfficial(resource: RecordedResource): Promise<RecordedResource> {
  if (resource.type === "pulumi:providers:kubernetes") {
    const args = { kubeconfig: kubeconfig(), version: "4.34.2" };
    return { ...resource, inputs: { __internal: {}, ...args }, outputs: args };
  }
  if (!resource.type.startsWith("kubernetes:")) return resource;
  const inputs = reveal(asMap(JSON.parse(JSON.stringify(resource.inputs), plaintext)));
  const path = collectionOf(inputs);
  const created = {
    method: "POST",
    path,
    query: { fieldManager: "pulumi-kubernetes" },
    body: inputs,
  } as const;
  await namespace.api.json(created);
  if (text(inputs, "kind") === "Deployment") await namespace.untilReady(nameOf(inputs), 1, models);
  const live = (await namespace.api.find<Record<string, unknown>>(`${path}/${nameOf(inputs)}`)) ?? {};
  const { __inputs, __initialApiVersion, __fieldManager, data } = resource.outputs ?? {};
  const own = { __inputs, __initialApiVersion, __fieldManager };
  // What is secret in the recorded state is written as it is there.
  return {
    ...resource,
    outputs: { ...live, ...own, ...(text(inputs, "kind") === "Secret" ? { data } : {}) },
  };
}

interface Declared {
  readonly replicas: number;
  readonly color: string;
  readonly a: string;
  readonly live: "blue" | "green";
  readonly metric: string;
}

/** The program whose runs were recorded. */
function declare({ replicas, color, a, live, metric }: Declared): Record<string, unknown> {
  const provider = new kubernetes.Provider("provider", { kubeconfig: kubeconfig() });
  const options = { provider };
  const within = new kubernetes.core.v1.Namespace("models", { metadata: { name: models } }, options);
  const metadata = { namespace: within.metadata.name };
  new kubernetes.core.v1.ConfigMap("conf", { metadata, data: { a } }, options);
  new kubernetes.core.v1.Secret("sec", { metadata, stringData: { token: "s3cr3t" } }, options);
  const job = {
    spec: {
      backoffLimit: 1,
      template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x" }] } },
    },
  };
  new kubernetes.apiextensions.CustomResource(
    "cr",
    {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AnalysisTemplate",
      metadata,
      spec: { metrics: [{ name: metric, provider: { job } }] },
    },
    options,
  );
  const labels = { app: "ml-model", version: "blue" };
  const deployment = new kubernetes.apps.v1.Deployment(
    "blue",
    {
      metadata: { ...metadata, labels: { app: "ml-model" } },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            containers: [
              {
                name: "m",
                image: testImages.blue,
                imagePullPolicy: "Never",
                ports: [{ containerPort: 8080 }],
                env: [{ name: "COLOR", value: color }],
              },
            ],
          },
        },
      },
    },
    options,
  );
  const service = (version: string) =>
    new kubernetes.core.v1.Service(
      `${version}-service`,
      { metadata, spec: { selector: { app: "ml-model", version }, ports: [{ port: 80, targetPort: 8080 }] } },
      options,
    );
  const services = { blue: service("blue"), green: service("green") };
  const backend = { service: { name: services[live].metadata.name, port: { number: 80 } } };
  new kubernetes.networking.v1.Ingress(
    "ml-model-ingress",
    {
      metadata: { ...metadata, annotations: { "kubernetes.io/ingress.class": "nginx" } },
      spec: {
        rules: [
          {
            host: `${namespace.name}.example.com`,
            http: { paths: [{ path: "/", pathType: "Prefix", backend }] },
          },
        ],
      },
    },
    { ...options, dependsOn: deployment },
  );
  return {};
}

test("a stack of the official provider shows no change, and is updated and deleted as that one would", async () => {
  const resources: RecordedResource[] = [];
  for (const resource of recordedState()) resources.push(await createAsOfficial(resource));
  const folder = join(namespace.folder, ".modelswitch", "state", ".pulumi", "stacks", "trace");
  await mkdir(folder, { recursive: true });
  const latest = { manifest: { time: "2026-11-23T03:53:45Z", magic: "", version: "" }, resources };
  const checkpoint = { stack: "organization/trace/dev", latest };
  await writeFile(join(folder, "dev.json"), JSON.stringify({ version: 3, checkpoint }));

  const declared: Declared = { replicas: 1, color: "b1", a: "1", live: "blue", metric: "x" };
  const stack = new ProviderStack(namespace, "dev", "trace");
  await stack.with(() => declare(declared));
  expect(await stack.preview()).toMatchObject({ changes: [] });
  expect(await stack.up()).toMatchObject({ changes: [] });
  await stack.refresh();
  expect(await stack.up()).toMatchObject({ changes: [] });
  const { initErrors, outputs } = (await stack.resource("blue")) ?? {};
  expect([initErrors, outputs?.__fieldManager]).toEqual([undefined, "pulumi-kubernetes-1b43f5da"]);

  // What the recording `5-update` changed, with the same steps.
  await stack.with(() => declare({ replicas: 2, color: "b2", a: "2", live: "green", metric: "y" }));
  const updated = await stack.up();
  expect(operations(updated)).toEqual([
    "replace ConfigMap",
    "update AnalysisTemplate",
    "update Deployment",
    "update Ingress",
  ]);
  expect(await stack.up()).toMatchObject({ changes: [] });

  await stack.destroy();
  expect(await namespace.api.find(`/api/v1/namespaces/${models}`)).toBeUndefined();
});
