import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { connect } from "../../src/kubernetes/connect.ts";

/** Both tags of the tiny model server, which the set-up has put into the node. */
export const testImages = {
  blue: "localhost/modelswitch-test-server:1",
  green: "localhost/modelswitch-test-server:2",
} as const;

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests with \`npm run test:e2e\`.`);
  return value;
}

/** A namespace of one test in the test cluster, and what users do there by hand. */
export class TestNamespace {
  readonly kubeconfigPath = required("MODELSWITCH_TEST_KUBECONFIG");
  readonly api = connect({ path: this.kubeconfigPath }).api;
  readonly name: string;
  /** Folder for state, gone afterwards. */
  readonly folder: string;

  private constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
  }

  static async create(prefix: string): Promise<TestNamespace> {
    const name = `${prefix}-${process.pid}-${Date.now().toString(36)}`;
    const namespace = new TestNamespace(name, await mkdtemp(join(tmpdir(), `${prefix}-`)));
    await namespace.api.json({
      method: "POST",
      path: "/api/v1/namespaces",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    });
    return namespace;
  }

  /** Does not wait until everything is gone: names are never used twice. */
  async remove(): Promise<void> {
    await this.api.request({ method: "DELETE", path: `/api/v1/namespaces/${this.name}` });
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Environment of a command or a stack whose state is this namespace's. */
  env(): Record<string, string> {
    return {
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "only for tests",
      KUBECONFIG: this.kubeconfigPath,
    };
  }

  /** Runs pods as somebody would who doesn't leave that to modelswitch. */
  async deploy(
    name: string,
    image: string,
    labels: Readonly<Record<string, string>>,
    replicas = 1,
  ): Promise<void> {
    await this.api.json({
      method: "PATCH",
      path: `/apis/apps/v1/namespaces/${this.name}/deployments/${name}`,
      query: { fieldManager: "somebody", force: true },
      body: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: "model",
                  image,
                  imagePullPolicy: "Never",
                  ports: [{ containerPort: 8080 }],
                  readinessProbe: { httpGet: { path: "/v2/health/ready", port: 8080 }, periodSeconds: 1 },
                },
              ],
            },
          },
        },
      },
    });
  }

  async untilReady(deployment: string, replicas = 1, namespace = this.name): Promise<void> {
    await until(`${replicas} replicas of ${deployment} are ready`, async () => {
      const found = await this.api.find<{ status?: { readyReplicas?: number } }>(
        `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`,
      );
      return (found?.status?.readyReplicas ?? 0) >= replicas;
    });
  }

  async ingress(name: string): Promise<IngressObject> {
    const path = `/apis/networking.k8s.io/v1/namespaces/${this.name}/ingresses`;
    const list = await this.api.json<{ items: IngressObject[] }>({ method: "GET", path });
    const found = list.items.find(
      (item) => item.metadata.name === name || item.metadata.name.startsWith(`${name}-`),
    );
    if (found === undefined) throw new Error(`There is no Ingress ${name} in ${this.name}.`);
    return found;
  }
}

export interface IngressObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly rules: { http: { paths: { backend: { service: { name: string } } }[] } }[];
  };
}

export function backendOf(ingress: IngressObject): string | undefined {
  return ingress.spec.rules[0]?.http.paths[0]?.backend.service.name;
}

/** Version of the model that answers at the ingress, or the status where none does. */
export async function versionAt(
  host: string,
  headers: Readonly<Record<string, string>> = {},
  url = required("MODELSWITCH_TEST_INGRESS_URL"),
): Promise<string> {
  const response = await request(`${url}/v2/models/demo`, {
    headers: { ...headers, host },
    headersTimeout: 10_000,
  });
  await response.body.dump();
  const version = response.headers["x-model-version"];
  return typeof version === "string" ? version : `status ${response.statusCode}`;
}

/** Polls a condition; a minute is more than anything here takes. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`After ${deadlineMs} ms it was still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
