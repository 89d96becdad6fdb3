import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository, run } from "./cli-process.ts";
import { buildAndLoadImage } from "./load-image.ts";
import { ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";

/** Its image takes minutes to build: only `npm run test:soak` has the time. */

const image = "localhost/modelswitch-test-storage:1";
const azurite = "azurite@3.37.0";
const account = "fraudmodels";
const credentials = {
  AWS_ACCESS_KEY_ID: "reader",
  AWS_SECRET_ACCESS_KEY: "only for tests",
  AZURE_STORAGE_ACCESS_KEY: Buffer.from("only for tests").toString("base64"),
};
const certificate = "/opt/storage/tls/certificate.pem";
const digest = (contents: string) => `sha256:${createHash("sha256").update(contents).digest("hex")}`;

let project: ModelProject;
const storeHost = () => `store.${project.namespace.name}.svc.cluster.local`;

/** Azure's emulator with the Node.js of this checkout, beside the other files of the image. */
async function buildContext(folder: string): Promise<void> {
  await cp(join(repository, "test", "images", "storage"), folder, { recursive: true });
  const target = join(folder, "azurite");
  await mkdir(target);
  const flags = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  const installed = await run("npm", ["install", "--prefix", target, ...flags, azurite]);
  if (installed.exitCode !== 0) throw new Error(installed.stderr);
  await cp(process.execPath, join(target, "node"));
}

async function haveImage(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-storage-"));
  try {
    await buildContext(folder);
    await buildAndLoadImage(folder, image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Kind = "s3" | "gs" | "az" | "hf";

interface Variable {
  readonly secret: string;
  readonly key: string;
}

/** What the fetcher of each store is told, with the store at that host. */
const fetcherEnv = (kind: Kind, host: string): Readonly<Record<string, string | Variable>> => {
  const secret = (key: keyof typeof credentials) => ({ [key]: { secret: "stores", key } });
  switch (kind) {
    case "s3":
      return {
        AWS_ENDPOINT_URL: `http://${host}:5000`,
        AWS_DEFAULT_REGION: "us-east-1",
        ...secret("AWS_ACCESS_KEY_ID"),
        ...secret("AWS_SECRET_ACCESS_KEY"),
      };
    case "gs":
      return { STORAGE_EMULATOR_HOST: `http://${host}:9023` };
    case "az":
      // Azure's address is in the URI: a proxy leads elsewhere, as in many companies.
      return {
        HTTPS_PROXY: `http://${host}:3128`,
        SSL_CERT_FILE: certificate,
        ...secret("AZURE_STORAGE_ACCESS_KEY"),
      };
    case "hf":
      return { HF_ENDPOINT: `http://${host}:9090`, HF_HUB_DISABLE_XET: "1" };
  }
};

const uris: Readonly<Record<Kind, string>> = {
  s3: "s3://models/fraud/7",
  gs: "gs://models/fraud/7",
  az: `az://${account}/models/fraud/7`,
  hf: "hf://acme/fraud",
};

/** A pod that speaks as each of the stores does, with one object in each. */
async function startStores(): Promise<void> {
  const { api, name, kubeconfigPath } = project.namespace;
  // By the name that fetchers use: Google's emulator says in its answers where it was written to.
  const host = storeHost();
  const clientEnv = {
    ...fetcherEnv("s3", host),
    ...fetcherEnv("gs", host),
    ...fetcherEnv("az", host),
    ...credentials,
    REQUESTS_CA_BUNDLE: certificate,
    AZURE_STORAGE_ACCOUNT: account,
  };
  const container = (program: string, port: number, command: readonly string[], env = {}) => ({
    name: program,
    image,
    imagePullPolicy: "Never",
    command,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
  });
  const bin = "/opt/storage/bin";
  const blob = "/opt/azurite/node_modules/azurite/dist/src/blob/main.js";
  const containers = [
    container("moto", 5000, ["moto_server", "-H", "0.0.0.0", "-p", "5000"], clientEnv),
    container("gcs", 9023, [
      "gcp-storage-emulator",
      "start",
      "--host",
      "0.0.0.0",
      "--port",
      "9023",
      "--in-memory",
    ]),
    container("hub", 9090, ["python3", `${bin}/hub.py`, "acme/fraud", "version.txt", "hf-7"]),
    container(
      "azurite",
      10000,
      [
        ...[
          "/opt/azurite/node",
          blob,
          "--blobHost",
          "0.0.0.0",
          "--blobPort",
          "10000",
          "--inMemoryPersistence",
        ],
        ...["--cert", certificate, "--key", "/opt/storage/tls/key.pem", "--skipApiVersionCheck"],
        ...["--disableTelemetry"],
      ],
      { AZURITE_ACCOUNTS: `${account}:${credentials.AZURE_STORAGE_ACCESS_KEY}` },
    ),
    container("proxy", 3128, ["python3", `${bin}/proxy.py`, "10000"]),
  ];
  await api.json({
    method: "POST",
    path: `/apis/apps/v1/namespaces/${name}/deployments`,
    body: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "store" },
      spec: {
        selector: { matchLabels: { app: "store" } },
        template: { metadata: { labels: { app: "store" } }, spec: { containers } },
      },
    },
  });
  const ports = [5000, 9023, 9090, 3128].map((port) => ({ name: `port-${port}`, port }));
  await api.json({
    method: "POST",
    path: `/api/v1/namespaces/${name}/services`,
    body: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "store" },
      spec: { selector: { app: "store" }, ports },
    },
  });
  await api.json({
    method: "POST",
    path: `/api/v1/namespaces/${name}/secrets`,
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "stores" }, stringData: credentials },
  });
  await project.namespace.untilReady("store");
  for (const kind of ["s3", "gs", "az"]) {
    const put = await run(process.env.MODELSWITCH_TEST_KUBECTL ?? "", [
      ...["--kubeconfig", kubeconfigPath, "--namespace", name, "exec", "deploy/store", "--container", "moto"],
      ...["--", "python3", `${bin}/put.py`, kind, "models", "fraud/7/version.txt", `${kind}-7`],
    ]);
    expect(put.exitCode, put.stderr).toBe(0);
  }
}

/** A slot whose model KServe's storage initializer brings from the store. */
const fromStore = (kind: Kind, { uri = uris[kind], wanted }: { uri?: string; wanted?: string } = {}) => ({
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
      env: fetcherEnv(kind, storeHost()),
    },
  },
});

const other = { image: testImages.green, imagePullPolicy: "Never", replicas: 1 };

describe.runIf(isSoak)("a model in an object store", () => {
  let slots: Readonly<Record<string, object>> = { blue: other, green: other };

  beforeAll(async () => {
    project = await ModelProject.create("store");
    await haveImage();
    await startStores();
  }, 1_800_000);

  afterAll(async () => {
    await project.remove();
  });

  test.each([
    ["s3", "blue"],
    ["gs", "green"],
    ["az", "blue"],
    ["hf", "green"],
  ] as const)("comes from %s:// by KServe's storage initializer, its digest checked", async (kind, slot) => {
    slots = { ...slots, [slot]: fromStore(kind, { wanted: digest(`${kind}-7`) }) };
    await project.configure({ slots });
    await project.result(["up"]);
    await project.result(["switch", slot]);
    expect(await versionAt(project.host)).toBe(`${kind}-7`);
  });

  test("that is not there, or another one, ends `up` with the reason", async () => {
    for (const [blue, reason] of [
      [
        fromStore("s3", { uri: "s3://models/nobody" }),
        "The model cannot be fetched: RuntimeError: Failed to fetch model. No model",
      ],
      [fromStore("hf", { wanted: digest("8") }), `has the digest ${digest("hf-7")}`],
    ] as const) {
      await project.configure({ slots: { ...slots, blue }, deadlines: { ready: 60, proof: 30 } });
      const { exitCode, stdout } = await project.command(["up", "--json"]);
      expect(exitCode, stdout).toBe(1);
      expect(stdout).toContain(reason);
    }
    expect(await versionAt(project.host)).toBe("hf-7");
  });
});
