import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { RecordingProxy } from "./recording-proxy.ts";
import { RestrictedAccount } from "./restricted-account.ts";
import { testImages } from "./test-cluster.ts";

/** An API server that is busy answers first lists from a cache that is behind its own writes. */
let project: ModelProject;
let proxy: RecordingProxy;
let kubeconfig: string;

const path = () => `/apis/networking.k8s.io/v1/namespaces/${project.namespace.name}/ingresses`;

async function configure(annotations: Readonly<Record<string, string>>): Promise<void> {
  const slot = { image: testImages.blue, replicas: 1, imagePullPolicy: "Never" };
  await project.configure({
    slots: { blue: slot, green: { ...slot, image: testImages.green } },
    ingress: {
      host: project.host,
      endpoints: [process.env.MODELSWITCH_TEST_INGRESS_URL ?? ""],
      annotations,
    },
  });
}

async function changesOf(...args: string[]): Promise<unknown> {
  const result = await project.command([...args, "--json"], { env: { KUBECONFIG: kubeconfig } });
  expect(result.exitCode, `${result.stdout}\n${result.stderr}`).toBe(0);
  return resultOf(result.stdout).changes;
}

beforeAll(async () => {
  project = await ModelProject.create("stale");
  const account = await RestrictedAccount.create(project.namespace, "ci");
  proxy = await RecordingProxy.start(project.namespace.kubeconfigPath);
  kubeconfig = await account.kubeconfig(proxy.url, Buffer.from(proxy.certificate).toString("base64"));
  await account.allow({ model: "fraud" });
  await account.until(true, "get", { group: "", resource: "pods/proxy" });
});

afterAll(async () => {
  proxy.close();
  await project.remove();
});

test("an update that the API server's cache has not heard of is none to be made again, and none to be left out", async () => {
  await configure({});
  await changesOf("up");
  const before = JSON.stringify(await project.namespace.api.json({ method: "GET", path: path() }));
  await configure({ "example.com/team": "risk" });
  let answered = 0;
  proxy.instead = ({ verb, resource }, url) => {
    const isFirst =
      verb === "list" && resource === "ingresses" && url.searchParams.get("resourceVersion") === "0";
    if (isFirst) answered += 1;
    return isFirst ? before : undefined;
  };
  proxy.hold = ({ verb, resource }) => (verb === "watch" && resource === "ingresses" ? 3_000 : 0);
  expect(await changesOf("up")).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: "Ingress", name: "fraud", operation: "update" }),
    ]),
  );
  expect(answered).toBeGreaterThan(0);
  proxy.instead = () => undefined;
  proxy.hold = () => 0;
  expect(await changesOf("up")).toEqual([]);
  await configure({});
  await changesOf("up");
  const found = await project.namespace.api.find<KubernetesObject>(`${path()}/fraud`);
  expect(found?.metadata?.annotations ?? {}).not.toHaveProperty(["example.com/team"]);
});
