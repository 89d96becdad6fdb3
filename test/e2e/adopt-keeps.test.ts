import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { dirname, join } from "node:path";
import { request as plainRequest } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { ModelProject } from "./model-project.ts";
import { testImages, until } from "./test-cluster.ts";

let project: ModelProject;
let secure: string;

const prefix = "nginx.ingress.kubernetes.io";
const path = (group: string, kind: string) => `/${group}/namespaces/${project.namespace.name}/${kind}`;
const apps = "apis/apps/v1";
const networking = "apis/networking.k8s.io/v1";

async function create(group: string, kind: string, body: KubernetesObject): Promise<void> {
  await project.namespace.api.json({ method: "POST", path: path(group, kind), body });
}

interface Found extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly metadata: KubernetesObject["metadata"];
      readonly spec: Readonly<Record<string, unknown>> & {
        readonly containers: readonly Readonly<Record<string, unknown>>[];
      };
    };
    readonly [field: string]: unknown;
  };
}

const read = (group: string, kind: string, name: string) =>
  project.namespace.api.json<Found>({ method: "GET", path: `${path(group, kind)}/${name}` });

const probe = {
  tcpSocket: { port: 8080 },
  initialDelaySeconds: 1,
  periodSeconds: 1,
  timeoutSeconds: 7,
  successThreshold: 1,
  failureThreshold: 3,
};

/** What `kubectl` users have: a mesh, an identity of a cloud, a probe of their own, a certificate of the controller's. */
async function deployByHand(): Promise<void> {
  await create(apps, "deployments", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "fraud-server", labels: { app: "fraud" }, annotations: { "reloader/auto": "true" } },
    spec: {
      replicas: 1,
      minReadySeconds: 1,
      selector: { matchLabels: { app: "fraud" } },
      template: {
        metadata: {
          labels: { app: "fraud", "azure.workload.identity/use": "true" },
          annotations: { "sidecar.istio.io/inject": "true" },
        },
        spec: {
          hostAliases: [{ ip: "10.0.0.1", hostnames: ["features.internal"] }],
          volumes: [{ name: "model", emptyDir: {} }],
          containers: [
            {
              name: "server",
              image: testImages.blue,
              imagePullPolicy: "Never",
              env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
              ports: [{ name: "web", containerPort: 8080 }],
              readinessProbe: probe,
              volumeMounts: [{ name: "model", mountPath: "/cache" }],
            },
          ],
        },
      },
    },
  });
  await create("api/v1", "services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "fraud-api",
      labels: { monitored: "yes" },
      annotations: { "service.kubernetes.io/topology-mode": "Auto" },
    },
    spec: {
      selector: { app: "fraud" },
      sessionAffinity: "ClientIP",
      ports: [{ name: "web", port: 8000, targetPort: "web" }],
    },
  });
  const backend = { service: { name: "fraud-api", port: { name: "web" } } };
  await create(networking, "ingresses", {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "fraud",
      annotations: {
        [`${prefix}/force-ssl-redirect`]: "true",
        [`${prefix}/canary`]: "false",
        [`${prefix}/canary-weight`]: "0",
      },
    },
    spec: {
      ingressClassName: "nginx",
      tls: [{ hosts: [project.host] }],
      rules: [{ host: project.host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  });
  await project.namespace.untilReady("fraud-server");
}

/** What a client that comes over http gets. */
async function overHttp(): Promise<string> {
  const answer = await plainRequest(`${process.env.MODELSWITCH_TEST_INGRESS_URL}/v2/models/demo`, {
    headers: { host: project.host },
    headersTimeout: 10_000,
  });
  await answer.body.dump();
  return `${answer.statusCode} ${String(answer.headers.location)}`;
}

/** The version that answers over TLS, with whatever certificate. */
function overHttps(): Promise<string> {
  return new Promise((resolve) => {
    const url = new URL("/v2/models/demo", secure);
    const sent = request(
      {
        hostname: url.hostname,
        port: url.port,
        path: url.pathname,
        agent: false,
        headers: { host: project.host },
        servername: project.host,
        rejectUnauthorized: false,
      },
      (response) => {
        response.resume();
        resolve(`${response.statusCode} ${String(response.headers["x-model-version"])}`);
      },
    );
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}

beforeAll(async () => {
  project = await ModelProject.create("keeps");
  const state = join(dirname(project.namespace.kubeconfigPath), "cluster.json");
  const { ports } = JSON.parse(await readFile(state, "utf8")) as { ports: { ingressTls: number } };
  secure = `https://127.0.0.1:${ports.ingressTls}`;
  await deployByHand();
  await until("the ingress controller redirects to https", async () => (await overHttp()).startsWith("30"));
  await until("it knows the pods", async () => (await overHttps()) === "200 1");
});

afterAll(async () => {
  await project.remove();
});

describe("adopting what people have", () => {
  let redirect: string;

  test("the redirect to https and the controller's certificate stay, and what says nothing is named", async () => {
    redirect = await overHttp();
    const init = await project.command([
      "init",
      "--from",
      "ingress/fraud",
      "--namespace",
      project.namespace.name,
    ]);
    expect(init.exitCode, init.stderr).toBe(0);
    expect(init.stdout).toContain(`without ${prefix}/canary: false, ${prefix}/canary-weight: 0`);
    await project.edit((text) =>
      text
        .replace(
          /identity: .*,\n/,
          'identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },\n    preStopSleepSeconds: 3,\n    longestRequestSeconds: 5,\n',
        )
        .replace("ingress: {", `ingress: {\n    endpoints: [${JSON.stringify(secure)}],`)
        .replace(
          /\}\);\n$/,
          '  rollout: { steps: "50%:1s", settle: 1, soak: 1, drain: 3, rollbackWindow: 600 },\n});\n',
        ),
    );
    expect(await project.result(["adopt", "--yes"])).toMatchObject({ proof: { state: "proved" } });
    expect([await overHttp(), await overHttps()]).toEqual([redirect, "200 1"]);
    const ingress = await read(networking, "ingresses", "fraud");
    expect(ingress.spec.tls).toEqual([{ hosts: [project.host] }]);
  });

  test("the next release has all of it", async () => {
    await project.result(["release", "--set", `image=${testImages.green}`]);
    expect([await overHttp(), await overHttps()]).toEqual([redirect, "200 2"]);
    const { metadata, spec } = await read(apps, "deployments", "fraud-green");
    expect(metadata?.annotations).toMatchObject({ "reloader/auto": "true" });
    expect(spec).toMatchObject({ minReadySeconds: 1 });
    expect(spec.template.metadata).toMatchObject({
      labels: { app: "fraud-green", "azure.workload.identity/use": "true" },
      annotations: { "sidecar.istio.io/inject": "true" },
    });
    expect(spec.template.spec).toMatchObject({
      hostAliases: [{ ip: "10.0.0.1", hostnames: ["features.internal"] }],
      volumes: [{ name: "model", emptyDir: {} }],
    });
    expect(spec.template.spec.containers[0]).toMatchObject({
      env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
      ports: [{ name: "web", containerPort: 8080 }],
      readinessProbe: probe,
      volumeMounts: [{ name: "model", mountPath: "/cache" }],
    });
    const service = await read("api/v1", "services", "fraud-green");
    expect(service.metadata).toMatchObject({
      labels: { monitored: "yes" },
      annotations: { "service.kubernetes.io/topology-mode": "Auto" },
    });
    expect(service.spec).toMatchObject({
      sessionAffinity: "ClientIP",
      ports: [{ name: "web", port: 8000, targetPort: "web" }],
    });
  });

  test("an undo that succeeded ends with 0, also where nobody can be asked about it", async () => {
    await project.result(["rollback"]);
    await project.edit((text) =>
      text.replace(secure, "https://127.0.0.1:9").replace("ingress:", "deadlines: { proof: 2 },\n  ingress:"),
    );
    const undo = await project.command(["adopt", "--undo", "--yes", "--json"]);
    expect(undo.exitCode, undo.stdout).toBe(0);
    expect(undo.stdout).toContain("undo-unproved");
    expect((await read(networking, "ingresses", "fraud")).metadata?.annotations).toMatchObject({
      [`${prefix}/canary`]: "false",
    });
    expect([await overHttp(), await overHttps()]).toEqual([redirect, "200 1"]);
  });
});

test("a configuration that loses what runs is refused before anything is written, unless that is meant", async () => {
  await project.edit((text) => text.replace(/hostAliases: \[[\s\S]*?\]\s*\},?\s*\],?/, ""));
  const refused = await project.command(["adopt", "--yes", "--json"]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stdout).toContain("adoption-loses");
  expect(refused.stdout).toContain("pod.hostAliases");
  // Nobody listens where the configuration says that the ingress is.
  const unproved = await project.command(["adopt", "--yes", "--accept-loss", "--json"]);
  expect(unproved.exitCode, unproved.stdout).toBe(1);
  expect(unproved.stdout).toContain("adoption-unproved");
  expect((await read(networking, "ingresses", "fraud")).metadata?.labels ?? {}).not.toHaveProperty([
    "app.kubernetes.io/managed-by",
  ]);
});

test("another model in another namespace does not take the host without a word", async () => {
  const other = await ModelProject.create("taker");
  try {
    await other.configure({ name: "taker", ingress: { host: project.host } });
    for (const command of ["plan", "up"]) {
      const refused = await other.command([command, "--json"]);
      expect(refused.exitCode, refused.stdout).toBe(2);
      expect(refused.stdout).toContain("host-taken");
      expect(refused.stdout).toContain(
        `the Ingress ${project.namespace.name}/fraud has ${project.host}/ (Prefix)`,
      );
    }
    const { items } = await other.namespace.api.json<{ items: unknown[] }>({
      method: "GET",
      path: `/${networking}/namespaces/${other.namespace.name}/ingresses`,
    });
    expect(items).toEqual([]);
    const doctor = await other.command(["doctor", "--json"]);
    expect(doctor.stdout).toContain(`${project.namespace.name}/fraud has ${project.host}/`);
  } finally {
    await other.remove();
  }
});
