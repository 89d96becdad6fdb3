import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packImages } from "../../packages/local-cluster/src/images/oci-archive.ts";
import { buildModelFetcherImage, modelFetcherImage } from "../images/model-fetcher-image.ts";
import { loadImage } from "./load-image.ts";
import { ModelProject } from "./model-project.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

let project: ModelProject;
/** Address of the pod that models are fetched from. */
let store = "";

const digest = (contents: string) => `sha256:${createHash("sha256").update(contents).digest("hex")}`;
const wrong = `sha256:${"0".repeat(64)}`;

const base = {
  image: testImages.blue,
  imagePullPolicy: "Never",
  resources: { requests: { cpu: "10m" } },
  securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true },
};

/** A slot whose model is a version in a config file, and a token in a Secret. */
const byFile = (version: string, more: object = {}) => ({
  ...base,
  configFiles: { "/etc/model/version.txt": version },
  env: { VERSION_FILE: "/etc/model/version.txt", TOKEN: { secret: "fraud-token", key: "token" } },
  ...more,
});

/** A slot whose model is fetched. */
const byModel = (model: object, more: object = {}) => ({
  ...base,
  model: { fetcher: { image: modelFetcherImage, imagePullPolicy: "Never", verify: "built-in" }, ...model },
  env: { VERSION_FILE: "/mnt/models/version.txt" },
  ...more,
});

const fetched = () => ({ uri: `${store}/version.txt`, digest: digest("from-the-store") });

const limits = { timeout: 3, maxBodySize: "2Ki" };

const configure = (blue: object, green: object, ingress: object = {}) =>
  project.configure({ slots: { blue, green }, ingress: { host: project.host, ...ingress } });

const core = (rest: string) => `/api/v1/namespaces/${project.namespace.name}/${rest}`;
const apps = (rest: string) => `/apis/apps/v1/namespaces/${project.namespace.name}/${rest}`;

interface Named {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

async function list<T = Named>(path: string, labelSelector?: string): Promise<readonly T[]> {
  const found = await project.namespace.api.json<{ items: readonly T[] }>({
    method: "GET",
    path,
    query: { labelSelector },
  });
  return found.items;
}

const podsOf = async (slot: string) =>
  (await list(core("pods"), `app=fraud,version=${slot}`)).map(({ metadata }) => metadata.name).sort();

const configMapsOf = async () =>
  (await list(core("configmaps"), "app=fraud")).filter(({ metadata }) =>
    metadata.name.startsWith("fraud-config-"),
  );

async function replicasOf(slot: string): Promise<number | undefined> {
  const found = await project.namespace.api.find<{ spec: { replicas?: number } }>(
    apps(`deployments/fraud-${slot}`),
  );
  return found?.spec.replicas;
}

async function putSecret(token: string): Promise<void> {
  await project.namespace.api.json({
    method: "PATCH",
    path: core("secrets/fraud-token"),
    query: { fieldManager: "somebody", force: true },
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "fraud-token" }, stringData: { token } },
  });
}

/** A pod that serves files, as an object store or a web server would. */
async function startStore(): Promise<void> {
  const { api, name } = project.namespace;
  await api.json({
    method: "POST",
    path: core("configmaps"),
    body: { metadata: { name: "store" }, data: { "version.txt": "from-the-store" } },
  });
  await project.namespace.deploy("store", testImages.blue, { app: "store" });
  await api.json({
    method: "PATCH",
    path: apps("deployments/store"),
    contentType: "application/strategic-merge-patch+json",
    body: {
      spec: {
        template: {
          spec: {
            volumes: [{ name: "files", configMap: { name: "store" } }],
            containers: [
              {
                name: "model",
                env: [{ name: "SERVE_FILES", value: "/srv" }],
                volumeMounts: [{ name: "files", mountPath: "/srv" }],
              },
            ],
          },
        },
      },
    },
  });
  const service = await api.json<{ spec: { clusterIP: string } }>({
    method: "POST",
    path: core("services"),
    body: { metadata: { name: "store" }, spec: { selector: { app: "store" }, ports: [{ port: 8080 }] } },
  });
  store = `http://${service.spec.clusterIP}:8080/files`;
  await until(`the store in ${name} serves its file`, async () => {
    const answer = await api.request({
      method: "GET",
      path: core("services/store:8080/proxy/files/version.txt"),
    });
    return answer.status === 200 && answer.body === "from-the-store";
  });
}

const infer = (sleepMs: number, padding = 0) =>
  request(`${process.env.MODELSWITCH_TEST_INGRESS_URL}/v2/models/demo/infer?sleepMs=${sleepMs}`, {
    method: "POST",
    headers: { host: project.host, "content-type": "application/json" },
    body: JSON.stringify({
      id: "x".repeat(padding),
      inputs: [{ name: "predict", shape: [1, 1], datatype: "FP64", data: [1] }],
    }),
  });

async function statusOf(answer: ReturnType<typeof infer>): Promise<number> {
  const { statusCode, body } = await answer;
  await body.dump();
  return statusCode;
}

describe("what a release is made of", () => {
  beforeAll(async () => {
    const archive = await buildModelFetcherImage({ events: () => {}, signal: AbortSignal.timeout(280_000) });
    await loadImage(archive);
    project = await ModelProject.create("contents");
    await startStore();
  });

  afterAll(async () => {
    await project.remove();
  });

  test("a Secret that is not there is named before anything is written", async () => {
    await configure(byFile("v1"), byFile("v1", { replicas: 0 }));
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("the Secret fraud-token");
    expect(await configMapsOf()).toEqual([]);
    await putSecret("one");
  });

  test("config files, the Secret's version, image, budget and safe defaults are in the pods", async () => {
    await configure(byFile("v1", { replicas: 2 }), byFile("v1", { replicas: 0 }));
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
    expect(await versionAt(project.host)).toBe("v1");
    // Both slots have the same files: one object.
    expect(await configMapsOf()).toHaveLength(1);
    const [pod] = await list<Named & { spec: Record<string, unknown> }>(
      core("pods"),
      "app=fraud,version=blue",
    );
    expect(pod?.metadata.annotations?.["modelswitch.dev/versions"]).toMatch(/^secret\/fraud-token=\d+$/);
    expect(pod?.spec).toMatchObject({
      securityContext: { seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          securityContext: {
            runAsNonRoot: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    });
    const budgets = await list<Named & { spec: unknown }>(
      `/apis/policy/v1/namespaces/${project.namespace.name}/poddisruptionbudgets`,
    );
    expect(budgets).toMatchObject([{ metadata: { name: "fraud-blue" }, spec: { maxUnavailable: 1 } }]);
    const status = (await project.result(["status"])) as { slots: { blue: { imageId?: string } } };
    expect(status.slots.blue.imageId).toMatch(/sha256:[0-9a-f]{64}/);
  });

  test("what changes outside goes into the idle slot only; each slot keeps its own files", async () => {
    const live = await podsOf("blue");
    await putSecret("two");
    await configure(byFile("v1", { replicas: 2 }), byFile("v2"));
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain("secret/fraud-token changed since release 1");
    expect(await podsOf("blue")).toEqual(live);
    expect(await configMapsOf()).toHaveLength(2);
    const deployments = await list<{ spec: { template: Named } }>(apps("deployments"), "app=fraud");
    const versions = deployments.map(
      ({ spec }) => spec.template.metadata.annotations?.["modelswitch.dev/versions"],
    );
    expect(new Set(versions).size).toBe(2);
  });

  test("another model than the digest says never becomes ready, and the error says which it is", async () => {
    await configure(byFile("v1", { replicas: 2 }), byModel({ ...fetched(), digest: wrong }));
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`has the digest ${digest("from-the-store")}, but the release says ${wrong}`);
    expect(stderr).toContain("model.digest");
    expect(await versionAt(project.host)).toBe("v1");
  });

  test("a model that is fetched over HTTP and has the digest takes the traffic", async () => {
    await configure(byFile("v1", { replicas: 2 }), byModel(fetched()));
    await project.result(["up"]);
    expect(await project.result(["switch", "green"])).toMatchObject({ target: "green" });
    expect(await versionAt(project.host)).toBe("from-the-store");
    // No slot refers to v2 any more; blue still refers to v1.
    expect(await configMapsOf()).toHaveLength(1);
  });

  test("a slot that an autoscaler sizes takes over without shrinking, and gets as many replicas as the live one has", async () => {
    const autoscaling = { min: 1, max: 4 };
    await project.namespace.api.json({
      method: "PATCH",
      path: apps("deployments/fraud-green/scale"),
      contentType: "application/merge-patch+json",
      query: { fieldManager: "somebody" },
      body: { spec: { replicas: 3 } },
    });
    await project.namespace.untilReady("fraud-green", 3);
    const live = await podsOf("green");
    await configure(
      byFile("v3", { autoscaling }),
      byModel(fetched(), { autoscaling: { ...autoscaling, min: 2 } }),
    );
    await project.result(["up"]);
    expect(await podsOf("green")).toEqual(live);
    expect(await replicasOf("blue")).toBe(2);
    expect(await project.result(["switch", "blue"])).toMatchObject({ target: "blue" });
    expect([await replicasOf("blue"), await replicasOf("green")]).toEqual([3, 3]);
    expect(await versionAt(project.host)).toBe("v3");
  });

  test("requests that take too long or are too large are refused at the ingress", async () => {
    await configure(byFile("v3"), byModel(fetched(), { replicas: 0 }), limits);
    await project.result(["up", "--allow-live-stop"]);
    // The autoscalers are gone, and nobody sets the number again.
    expect(await replicasOf("blue")).toBe(1);
    await until("the controller has the limits", async () => (await statusOf(infer(0, 4096))) === 413);
    expect(await statusOf(infer(100, 512))).toBe(200);
    expect(await statusOf(infer(9000))).toBe(504);
  });

  test("a model on a volume is checked, too", async () => {
    const folder = await mkdtemp("/var/tmp/modelswitch-volume-");
    const { api, name } = project.namespace;
    const volume = `volume-${name}`;
    try {
      // The pods are somebody else on the node.
      await chmod(folder, 0o755);
      await writeFile(join(folder, "version.txt"), "on-a-volume");
      const spec = {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        storageClassName: "by-hand",
        hostPath: { path: folder },
      };
      await api.json({
        method: "POST",
        path: "/api/v1/persistentvolumes",
        body: { metadata: { name: volume }, spec },
      });
      await api.json({
        method: "POST",
        path: core("persistentvolumeclaims"),
        body: {
          metadata: { name: "models" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: "by-hand",
            volumeName: volume,
            resources: { requests: { storage: "1Gi" } },
          },
        },
      });
      const model = { uri: "pvc://models", digest: digest("on-a-volume") };
      await configure(byFile("v3"), byModel(model), limits);
      await project.result(["up"]);
      expect(await project.result(["switch", "green"])).toMatchObject({ target: "green" });
      expect(await versionAt(project.host)).toBe("on-a-volume");
    } finally {
      await api.request({ method: "DELETE", path: `/api/v1/persistentvolumes/${volume}` });
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("a model in an image is mounted from it", async () => {
    const name = "localhost/modelswitch-test-model:1";
    const { archive } = packImages([
      {
        name,
        files: [{ path: "version.txt", contents: Buffer.from("in-an-image"), mode: 0o644 }],
        entrypoint: [],
        env: {},
        ports: [],
      },
    ]);
    const file = join(project.folder, "model.tar");
    await writeFile(file, archive);
    await loadImage(file);
    const inImage = {
      ...base,
      model: { uri: `oci://${name}` },
      env: { VERSION_FILE: "/mnt/models/version.txt" },
    };
    const onVolume = byModel({ uri: "pvc://models", digest: digest("on-a-volume") });
    await configure(inImage, onVolume, limits);
    await project.result(["up"]);
    expect(await project.result(["switch", "blue"])).toMatchObject({ target: "blue" });
    expect(await versionAt(project.host)).toBe("in-an-image");
  });
});
