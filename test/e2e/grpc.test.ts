import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { GrpcLoad } from "./grpc-load.ts";
import { ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, until } from "./test-cluster.ts";

const rounds = isSoak ? 10 : 1;

let project: ModelProject;
let load: GrpcLoad | undefined;

const overGrpc = {
  method: "inference.GRPCInferenceService/ModelMetadata",
  request: { "1": "demo" },
  from: { kind: "field", path: "2" },
};

const rollout = { steps: "10%:1s, 50%:1s", settle: 1, soak: 1, drain: 3, rollbackWindow: 600 };

/** A model server with a port for HTTP, which probes and warm-up requests ask, and one for gRPC, which clients call. */
async function configure(identity: Readonly<Record<string, unknown>>): Promise<void> {
  const server = {
    preset: "custom",
    readinessPath: "/v2/health/ready",
    otherPorts: { grpc: 9000 },
    env: { GRPC_PORT: "9000" },
    identity: { path: "/v2/models/demo", from: { kind: "json", path: "versions.0" }, ...identity },
    preStopSleepSeconds: 3,
    longestRequestSeconds: 5,
  };
  const config = {
    name: "fraud",
    server,
    namespace: project.namespace.name,
    release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
    ingress: { host: project.host, protocol: "grpc" },
    rollout: { ...rollout, warmUp: { path: "/v2/models/demo", requests: 10 } },
    deadlines: { ready: 120, proof: 30 },
  };
  await writeFile(join(project.folder, "modelswitch.config.json"), JSON.stringify(config));
}

/** A model server that has no HTTP that anything knows of: probes, proofs and clients call gRPC methods. */
async function configureGrpcOnly(proof = 30): Promise<void> {
  const server = {
    preset: "custom",
    port: 9000,
    env: { PORT: "8081", GRPC_PORT: "9000" },
    grpcOnly: overGrpc,
    livenessService: "liveness",
    preStopSleepSeconds: 3,
    longestRequestSeconds: 3,
  };
  const config = {
    name: "scoring",
    server,
    namespace: project.namespace.name,
    release: { image: testImages.blue, mark: "1", replicas: 2, imagePullPolicy: "Never" },
    ingress: { host: `only-${project.host}`, protocol: "grpc" },
    rollout,
    deadlines: { ready: 120, proof },
  };
  await writeFile(join(project.folder, "modelswitch.config.json"), JSON.stringify(config));
}

beforeAll(async () => {
  project = await ModelProject.create("grpc");
});

afterAll(async () => {
  await load?.stop();
  await project.remove();
});

describe("a model server that speaks gRPC on a port of its own", () => {
  test("is refused where its slots could not be told apart there", async () => {
    await configure({});
    const { exitCode, stdout } = await project.command(["up", "--json"]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain("grpc-identity-missing");
  });

  test("no call fails while a release goes live in steps and traffic is switched, each proved over gRPC", async () => {
    await configure({ grpc: overGrpc });
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
    const own = new GrpcLoad({
      url: process.env.MODELSWITCH_TEST_INGRESS_URL ?? "",
      host: project.host,
      ratePerSecond: 40,
      maximumMs: 250_000,
    });
    load = own;
    const { stdout } = await project.command(["release", "--set", `image=${testImages.green}`, "--json"]);
    expect(stdout).toMatch(/"id":"warm-up-green".*"state":"done"/);
    for (const step of ["10 %", "50 %", "all"]) expect(stdout).toContain(`Shift ${step}`);
    for (let index = 1; index < 2 * rounds; index++) {
      const [target, version] = index % 2 === 0 ? (["green", "2"] as const) : (["blue", "1"] as const);
      const before = own.snapshot().versions[version] ?? 0;
      expect(await project.result(["switch", target])).toMatchObject({ target, alreadyThere: false });
      await until(`${target} answers`, () =>
        Promise.resolve((own.snapshot().versions[version] ?? 0) > before),
      );
    }
    const report = await own.stop();
    load = undefined;
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
    // Two-second calls were under way all the time.
    expect(report.slowest).toBeGreaterThan(1900);
  });
});

describe("a model server that speaks nothing but gRPC", () => {
  test("is probed by its health service and released without a failed call, proved over gRPC", async () => {
    await configureGrpcOnly();
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
    const own = new GrpcLoad({
      url: process.env.MODELSWITCH_TEST_INGRESS_URL ?? "",
      host: `only-${project.host}`,
      ratePerSecond: 20,
      maximumMs: 250_000,
    });
    load = own;
    expect((await project.command(["plan"])).stderr).toContain("A release is not warmed up");
    const image = `image=${testImages.green}`;
    if (isSoak) await releaseWithUntrueMark(image, own);
    const alike = await project.command(["release", "--set", image, "--json"]);
    expect(alike.stdout).toContain("slots-indistinguishable");
    await project.result(["release", "--set", image, "--set", "mark=2"]);
    await until("green answers", () => Promise.resolve((own.snapshot().versions["2"] ?? 0) > 0));
    // One that was adopted is rolled back below.
    if (isSoak) expect(await project.result(["rollback"])).toMatchObject({ target: "blue" });
    const report = await own.stop();
    load = undefined;
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
    expect(await livenessOfPods()).toEqual(
      Array.from({ length: 4 }, () => ({ grpc: { port: 9000, service: "liveness" }, restarts: 0 })),
    );
  });
});

/** A gRPC server, its Service and its Ingress, as somebody deploys them by hand. */
async function deployByHand(host: string): Promise<void> {
  const { api, name } = project.namespace;
  const create = (path: string, body: KubernetesObject) => api.json({ method: "POST", path, body });
  const labels = { app: "byhand" };
  const container = {
    name: "server",
    image: testImages.blue,
    imagePullPolicy: "Never",
    env: [
      { name: "PORT", value: "8081" },
      { name: "GRPC_PORT", value: "9000" },
    ],
    readinessProbe: { grpc: { port: 9000 }, periodSeconds: 1 },
  };
  await create(`/apis/apps/v1/namespaces/${name}/deployments`, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "byhand", labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
  await create(`/api/v1/namespaces/${name}/services`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "byhand" },
    spec: { selector: labels, ports: [{ name: "grpc", port: 9000 }] },
  });
  const backend = { service: { name: "byhand", port: { number: 9000 } } };
  await create(`/apis/networking.k8s.io/v1/namespaces/${name}/ingresses`, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "byhand",
      annotations: { "nginx.ingress.kubernetes.io/backend-protocol": "GRPC" },
    },
    spec: {
      ingressClassName: "nginx",
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  });
  await project.namespace.untilReady("byhand", 1);
}

describe.runIf(isSoak)("a gRPC server that runs already", () => {
  test("is adopted, released and rolled back without a failed call, once its mark is true", async () => {
    const host = `byhand-${project.host}`;
    await deployByHand(host);
    const file = project.configFile;
    await rm(join(project.folder, "modelswitch.config.json"), { force: true });
    const from = ["init", "--from", "ingress/byhand", "--namespace", project.namespace.name];
    expect(await project.result(from)).toMatchObject({ config: { server: { http: false } } });
    const written = await readFile(file, "utf8");
    const edited = (mark: string) => {
      const text = written
        .replace(/mark: ".*?"/, `mark: "${mark}"`)
        .replace('"1": "byhand"', '"1": "demo"')
        .replace("grpcOnly:", "preStopSleepSeconds: 3,\n    longestRequestSeconds: 3,\n    grpcOnly:")
        .replace(
          /\}\);\n$/,
          `  rollout: ${JSON.stringify(rollout)}, deadlines: { ready: 120, proof: 12 },\n});\n`,
        );
      return writeFile(file, text);
    };
    await edited("9");
    const untrue = await project.command(["adopt", "--yes", "--json"]);
    expect(untrue.exitCode).toBe(1);
    expect(untrue.stdout).toContain("mark-untrue");
    expect(
      await project.namespace.api.find(
        `/api/v1/namespaces/${project.namespace.name}/configmaps/byhand-modelswitch`,
      ),
    ).toBeUndefined();
    await edited("1");
    load = new GrpcLoad({
      url: process.env.MODELSWITCH_TEST_INGRESS_URL ?? "",
      host,
      ratePerSecond: 20,
      maximumMs: 250_000,
    });
    const own = load;
    expect(await project.result(["adopt", "--yes"])).toMatchObject({ pods: 1, proof: { state: "proved" } });
    await project.result(["release", "--set", `image=${testImages.green}`, "--set", "mark=2"]);
    await until("green answers", () => Promise.resolve((own.snapshot().versions["2"] ?? 0) > 0));
    expect(await project.result(["rollback"])).toMatchObject({ target: "blue" });
    const report = await own.stop();
    load = undefined;
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
    await project.result(["adopt", "--undo", "--yes"]);
  });
});

async function releaseWithUntrueMark(image: string, clients: GrpcLoad): Promise<void> {
  await configureGrpcOnly(12);
  const { exitCode, stdout } = await project.command([
    "release",
    "--set",
    image,
    "--set",
    "mark=9",
    "--json",
  ]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain("mark-untrue");
  expect(stdout).toMatch(/"id":"warm-up-green".*"state":"skipped"/);
  expect(Object.keys(clients.snapshot().versions)).toEqual(["1"]);
  await configureGrpcOnly();
}

async function livenessOfPods(): Promise<unknown[]> {
  const { api, name } = project.namespace;
  const { items } = await api.json<{ items: ProbedPod[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${name}/pods`,
    query: { labelSelector: "app=scoring" },
  });
  return items.map(({ spec, status }) => ({
    grpc: spec.containers[0]?.livenessProbe?.grpc,
    restarts: status.containerStatuses[0]?.restartCount,
  }));
}

interface ProbedPod {
  readonly spec: { readonly containers: readonly { readonly livenessProbe?: { readonly grpc?: unknown } }[] };
  readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] };
}
