import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { failureOf, operations, ProviderStack } from "./provider-stack.ts";
import { TestNamespace, until } from "./test-cluster.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("kinds");
});

afterAll(async () => {
  await namespace.remove();
});

interface Found {
  readonly metadata: { readonly uid: string; readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

const configMapPath = (name: string, within = namespace.name) =>
  `/api/v1/namespaces/${within}/configmaps/${name}`;

const keepsUnknownFields = { "x-kubernetes-preserve-unknown-fields": true };

test("a definition and its custom resources in one program, waited for by their status", async () => {
  const group = `${namespace.name}.example.com`;
  const collection = `/apis/${group}/v1/namespaces/${namespace.name}/widgets`;
  const program = (size: number) => () => {
    const definition = new kubernetes.apiextensions.v1.CustomResourceDefinition("widgets", {
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural: "widgets", kind: "Widget" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: {
                  spec: { type: "object", ...keepsUnknownFields },
                  status: { type: "object", ...keepsUnknownFields },
                },
              },
            },
          },
        ],
      },
    });
    const widget = (name: string, waitFor: string) =>
      new kubernetes.apiextensions.CustomResource(
        name,
        {
          apiVersion: `${group}/v1`,
          kind: "Widget",
          metadata: { name, namespace: namespace.name, annotations: { "pulumi.com/waitFor": waitFor } },
          spec: { size },
        },
        { dependsOn: definition },
      );
    const first = widget("first", "condition=Ready");
    widget("second", '["jsonpath={.status.phase}=Running", "condition=Ready"]');
    // Known only once the custom resource is there.
    const uid = first.metadata.apply((metadata) => metadata.uid);
    new kubernetes.core.v1.ConfigMap("about", {
      metadata: { name: "about", namespace: namespace.name },
      data: { uid },
    });
  };
  const stack = new ProviderStack(namespace, "widgets");
  await stack.with(program(1));
  const created = ["create ConfigMap", "create CustomResourceDefinition", "create Widget", "create Widget"];
  expect(operations(await stack.preview())).toEqual(created);

  const up = stack.up();
  for (const name of ["first", "second"]) {
    await until(`${name} is there`, async () => {
      return (await namespace.api.find(`${collection}/${name}`)) !== undefined;
    });
    await until(`${name} is waited for`, async () =>
      stack.events.some((event) => event.type === "resource" && event.name === name && isWaiting(event)),
    );
    await namespace.api.json({
      method: "PATCH",
      path: `${collection}/${name}/status`,
      contentType: "application/merge-patch+json",
      body: { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
    });
  }
  expect(operations(await up)).toEqual(created);
  const first = await namespace.api.find<Found>(`${collection}/first`);
  const about = await namespace.api.find<Found>(configMapPath("about"));
  expect(about?.data).toEqual({ uid: first?.metadata.uid });
  expect(await stack.up()).toMatchObject({ changes: [] });

  await stack.with(program(2));
  expect(operations(await stack.up())).toEqual(["update Widget", "update Widget"]);
  await stack.destroy();
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  expect(await namespace.api.find(`${definitions}/widgets.${group}`)).toBeUndefined();
});

const isWaiting = (event: { readonly message?: string }) => /Waiting for /.test(event.message ?? "");

test("objects go where their provider says: namespace, context, cluster, kubeconfig as path or contents", async () => {
  interface Kubeconfig {
    "current-context": string;
    clusters: { name: string; cluster: { server: string } }[];
    contexts: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  }
  const other = await TestNamespace.create("kinds-other");
  const read = () => parse(readFileSync(namespace.kubeconfigPath, "utf8")) as Kubeconfig;
  const contents = read();
  const context = contents.contexts.find(({ name }) => name === contents["current-context"])?.context;
  const cluster = contents.clusters.find(({ name }) => name === context?.cluster);
  if (context === undefined || cluster === undefined) throw new Error("The test's kubeconfig is odd.");
  contents.contexts.push({ name: "other", context: { ...context, namespace: other.name } });
  contents.contexts.push({ name: "lost", context: { ...context, cluster: "lost", namespace: other.name } });
  contents.clusters.push({ name: "lost", cluster: { ...cluster.cluster, server: "https://127.0.0.1:9" } });
  const path = join(namespace.folder, "kubeconfig");
  await writeFile(path, stringify(contents));

  const stack = new ProviderStack(namespace, "places");
  const ambient = `ambient-${namespace.name}`;
  await stack.with(() => {
    const place = (name: string, args: kubernetes.ProviderArgs) =>
      new kubernetes.core.v1.ConfigMap(
        name,
        { metadata: { name } },
        { provider: new kubernetes.Provider(name, args) },
      );
    place("by-namespace", { kubeconfig: stringify(contents), namespace: namespace.name });
    place("by-context", { kubeconfig: path, context: "other" });
    place("by-both", { kubeconfig: path, context: "other", namespace: namespace.name });
    place("by-cluster", { kubeconfig: stringify(contents), context: "lost", cluster: cluster.name });
    new kubernetes.core.v1.ConfigMap(ambient, { metadata: { name: ambient } });
  });
  try {
    await stack.up();
    const ids = await Promise.all(
      ["by-namespace", "by-context", "by-both", "by-cluster", ambient].map(
        async (name) => (await stack.resource(`kubernetes:core/v1:ConfigMap::${name}`))?.id,
      ),
    );
    expect(ids).toEqual([
      `${namespace.name}/by-namespace`,
      `${other.name}/by-context`,
      `${namespace.name}/by-both`,
      `${other.name}/by-cluster`,
      `default/${ambient}`,
    ]);
    for (const id of ids) {
      const [within = "", name = ""] = id?.split("/") ?? [];
      expect(await namespace.api.find(configMapPath(name, within))).toBeDefined();
    }
    expect(await stack.up()).toMatchObject({ changes: [] });
  } finally {
    await stack.destroy();
    await other.remove();
  }
});

test("an object that others depend on is deleted after them", async () => {
  const stack = new ProviderStack(namespace, "order");
  const metadata = { namespace: namespace.name };
  await stack.with(() => {
    const base = new kubernetes.core.v1.ConfigMap("base", { metadata: { ...metadata, name: "base" } });
    new kubernetes.core.v1.ConfigMap(
      "top",
      { metadata: { ...metadata, name: "top", finalizers: ["example.com/hold"] } },
      { dependsOn: base },
    );
  });
  await stack.up();
  const destroyed = stack.destroy();
  await until("the deletion is waited for", async () =>
    stack.events.some((event) => event.type === "resource" && /example\.com\/hold/.test(event.message ?? "")),
  );
  expect(await namespace.api.find(configMapPath("base"))).toMatchObject({ metadata: { name: "base" } });
  await namespace.api.json({
    method: "PATCH",
    path: configMapPath("top"),
    contentType: "application/merge-patch+json",
    body: { metadata: { finalizers: null } },
  });
  await destroyed;
  expect(await namespace.api.find(configMapPath("base"))).toBeUndefined();
});

describe("what only the official provider does", () => {
  const { helm, yaml, kustomize, core, apiextensions } = kubernetes;
  const patch = { metadata: { name: "default" } };
  test.each<[string, RegExp, () => unknown]>([
    ["Helm releases", /helm\.sh/, () => new helm.v3.Release("r", { chart: "nginx" })],
    ["Helm charts", /helm/, () => new helm.v4.Chart("c", { chart: "nginx" })],
    ["the old Helm charts", /helm/, () => new helm.v3.Chart("c", { path: "./nowhere" })],
    ["YAML text", /yaml/, () => new yaml.v2.ConfigGroup("g", { yaml: "kind: ConfigMap" })],
    ["YAML files", /yaml/, () => new yaml.v2.ConfigFile("f", { file: "x.yaml" })],
    ["kustomize folders", /kustomize/, () => new kustomize.v2.Directory("d", { directory: "." })],
    ["patches", /Patch/, () => new core.v1.NamespacePatch("p", patch)],
    [
      "patches of custom resources",
      /Patch/,
      () =>
        new apiextensions.CustomResourcePatch("p", {
          apiVersion: "example.com/v1",
          kind: "Widget",
          ...patch,
        }),
    ],
    ["lists", /List/, () => new core.v1.ConfigMapList("l", { items: [] })],
  ])("%s: an error that says so and names the official provider", async (_what, named, declare) => {
    const stack = new ProviderStack(namespace, "unsupported");
    const message = await failureOf((await stack.with(async () => void declare())).preview());
    expect(message).toMatch(/The embedded Kubernetes provider does not support/);
    expect(message).toMatch(named);
    expect(message).toContain("pulumi plugin install resource kubernetes");
  });
});

test("an object of somebody else is imported or looked up without a change, and its secrets stay secret", async () => {
  const made = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "made" },
    stringData: { k: "s3cr3t-v4lue" },
  };
  const applied = "kubectl.kubernetes.io/last-applied-configuration";
  await namespace.api.json({
    method: "POST",
    path: `/api/v1/namespaces/${namespace.name}/secrets`,
    body: { ...made, metadata: { name: "made", annotations: { [applied]: JSON.stringify(made) } } },
  });
  const spec = { selector: { app: "nothing" }, ports: [{ port: 80, targetPort: 8080 }] };
  await namespace.api.json({
    method: "POST",
    path: `/api/v1/namespaces/${namespace.name}/services`,
    body: { apiVersion: "v1", kind: "Service", metadata: { name: "made" }, spec },
  });
  const stack = new ProviderStack(namespace, "imports");
  const metadata = { name: "made", namespace: namespace.name };
  const stringData = { k: pulumi.secret("s3cr3t-v4lue") };
  const id = `${namespace.name}/made`;
  await stack.with(() => {
    const options = { import: id };
    const own = new kubernetes.core.v1.Secret("made", { metadata, type: "Opaque", stringData }, options);
    const seen = kubernetes.core.v1.Secret.get("seen", id);
    const ports = [{ port: 80, targetPort: 8080, protocol: "TCP" }];
    const service = {
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ...spec,
      ports,
    };
    new kubernetes.core.v1.Service("made", { metadata, spec: service }, { import: id });
    return { own: own.data, seen: seen.data };
  });
  expect(operations(await stack.up())).toEqual(["create Secret", "create Service", "read Secret"]);
  await stack.refresh();
  expect(operations(await stack.up())).toEqual(["read Secret"]);
  const state = await stack.stateText();
  for (const clear of ["s3cr3t-v4lue", Buffer.from("s3cr3t-v4lue").toString("base64")]) {
    expect(state).not.toContain(clear);
    expect(JSON.stringify(stack.events)).not.toContain(clear);
  }
  await stack.destroy();
});
