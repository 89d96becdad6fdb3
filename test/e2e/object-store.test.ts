import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage } from "../../src/images/index.ts";
import { ensureTool } from "../../src/tools/ensure.ts";
import { modelswitch, repository, run } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { testImages, versionAt } from "./test-cluster.ts";

/** Its image takes minutes to build: only `npm run test:soak` has the time. */
const isSoak = process.env.MODELSWITCH_TEST_SOAK === "1";

const image = "localhost/modelswitch-test-storage:1";
const credentials = { AWS_ACCESS_KEY_ID: "reader", AWS_SECRET_ACCESS_KEY: "only for tests" };
const digest = (contents: string) => `sha256:${createHash("sha256").update(contents).digest("hex")}`;

let project: ModelProject;
/** Where the object store is reached. */
let endpoint = "";

async function haveImage(): Promise<void> {
  const folder = join(repository, "test", "images", "storage");
  const { archivePath } = await buildImage({
    containerfile: join(folder, "Containerfile"),
    contextFolder: folder,
    tag: image,
    buildArguments: {},
    ensureTool,
    events: () => {},
    signal: AbortSignal.timeout(1_500_000),
  });
  const name = process.env.MODELSWITCH_TEST_CLUSTER ?? "";
  const loaded = await modelswitch(["cluster", "load-image", archivePath, "--name", name]);
  if (loaded.exitCode !== 0) throw new Error(loaded.stderr);
}

/** A pod that speaks S3, with one object in it. */
async function startStore(): Promise<void> {
  const { api, name, kubeconfigPath } = project.namespace;
  const env = Object.entries({ ...credentials, AWS_DEFAULT_REGION: "us-east-1" }).map(([key, value]) => ({
    name: key,
    value,
  }));
  await api.json({
    method: "POST",
    path: `/apis/apps/v1/namespaces/${name}/deployments`,
    body: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "store" },
      spec: {
        selector: { matchLabels: { app: "store" } },
        template: {
          metadata: { labels: { app: "store" } },
          spec: {
            containers: [
              {
                name: "moto",
                image,
                imagePullPolicy: "Never",
                command: ["moto_server", "-H", "0.0.0.0", "-p", "5000"],
                env: [...env, { name: "AWS_ENDPOINT_URL", value: "http://127.0.0.1:5000" }],
                readinessProbe: { httpGet: { path: "/moto-api/", port: 5000 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
  });
  await api.json({
    method: "POST",
    path: `/api/v1/namespaces/${name}/services`,
    body: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "store" },
      spec: { selector: { app: "store" }, ports: [{ port: 5000 }] },
    },
  });
  await api.json({
    method: "POST",
    path: `/api/v1/namespaces/${name}/secrets`,
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s3" }, stringData: credentials },
  });
  await project.namespace.untilReady("store");
  const put = await run(process.env.MODELSWITCH_TEST_KUBECTL ?? "", [
    ...["--kubeconfig", kubeconfigPath, "--namespace", name, "exec", "deploy/store", "--"],
    ...["python3", "/opt/storage/bin/put.py", "models", "fraud/7/version.txt", "7"],
  ]);
  expect(put.exitCode, put.stderr).toBe(0);
  endpoint = `http://store.${name}.svc.cluster.local:5000`;
}

/** A slot whose model KServe's storage initializer brings from the store. */
const fromStore = (uri: string, wanted?: string) => ({
  image: testImages.blue,
  imagePullPolicy: "Never",
  replicas: 1,
  env: { VERSION_FILE: "/mnt/models/version.txt" },
  model: {
    uri,
    ...(wanted === undefined ? {} : { digest: wanted }),
    fetcher: {
      image,
      imagePullPolicy: "Never",
      env: {
        AWS_ENDPOINT_URL: endpoint,
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: { secret: "s3", key: "AWS_ACCESS_KEY_ID" },
        AWS_SECRET_ACCESS_KEY: { secret: "s3", key: "AWS_SECRET_ACCESS_KEY" },
      },
    },
  },
});

const other = { image: testImages.green, imagePullPolicy: "Never", replicas: 1 };

describe.runIf(isSoak)("a model in an object store", () => {
  beforeAll(async () => {
    project = await ModelProject.create("store");
    await haveImage();
    await startStore();
  }, 1_800_000);

  afterAll(async () => {
    await project.remove();
  });

  test("comes from s3:// by KServe's storage initializer, its digest checked", async () => {
    await project.configure({
      slots: { blue: fromStore("s3://models/fraud/7", digest("7")), green: other },
    });
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
    expect(await versionAt(project.host)).toBe("7");
  });

  test("that is not there, or another one, ends `up` with the reason", async () => {
    await project.result(["switch", "green"]);
    for (const [slot, reason] of [
      [
        fromStore("s3://models/nobody"),
        "The model cannot be fetched: RuntimeError: Failed to fetch model. No model",
      ],
      [fromStore("s3://models/fraud/7", digest("8")), `has the digest ${digest("7")}`],
    ] as const) {
      await project.configure({ slots: { blue: slot, green: other }, deadlines: { ready: 60, proof: 30 } });
      const { exitCode, stdout } = await project.command(["up", "--json"]);
      expect(exitCode, stdout).toBe(1);
      expect(stdout).toContain(reason);
    }
    expect(await versionAt(project.host)).toBe("2");
  });
});
