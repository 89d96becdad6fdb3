import { nginx } from "../src/component/routers/nginx.ts";
import { settledOn } from "../src/core/routing.ts";
import type { KubernetesApi, KubernetesObject } from "../src/kubernetes/api.ts";
import { ModelProject } from "../test/e2e/model-project.ts";
import { TestNamespace, testImages, until } from "../test/e2e/test-cluster.ts";
import { line, type Summary, summarise, timed } from "./statistics.ts";

const sizes = [1, 50, 500] as const;

/**
 * Traefik publishes no routing before it has written the status of every new Ingress, at five a second: what is measured
 * before that is its backlog (docs/routers/nginx.md).
 */
async function untilServed(api: KubernetesApi, namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces) {
    await until(
      `the controller has seen all Ingresses in ${namespace}`,
      async () => {
        const path = (collections.Ingress ?? "").replace("NAMESPACE", namespace);
        const { items } = await api.json<{ items: readonly FoundIngress[] }>({ method: "GET", path });
        const main = items.filter(({ metadata }) => !metadata.name.endsWith("-canary"));
        return main.every(({ status }) => (status?.loadBalancer?.ingress ?? []).length > 0);
      },
      600_000,
    );
  }
}

interface FoundIngress {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } };
}

/** What another model has in the cluster: everything but running pods, which would measure the machine instead. */
function objectsOf(model: string, namespace: string): KubernetesObject[] {
  const slots = ["blue", "green"].flatMap((color) => {
    const metadata = { name: `${model}-${color}`, namespace, labels: { app: model, version: color } };
    const selector = { app: model, version: color };
    return [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { selector, ports: [{ port: 80, targetPort: 8080 }] },
      },
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata,
        spec: {
          replicas: 0,
          selector: { matchLabels: selector },
          template: {
            metadata: { labels: selector },
            spec: { containers: [{ name: "model", image: testImages.blue }] },
          },
        },
      },
    ];
  });
  const ingresses = nginx.objects({
    model,
    namespace,
    routing: settledOn("blue"),
    ingress: { host: `${model}.${namespace}.example.com` },
    previewHeader: "X-Modelswitch-Preview",
    servicePort: 80,
  });
  const record = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `${model}-modelswitch`, namespace },
  };
  return [...slots, ...ingresses, { ...record, data: { record: "{}" } }] as KubernetesObject[];
}

const collections: Readonly<Record<string, string>> = {
  Service: "/api/v1/namespaces/NAMESPACE/services",
  ConfigMap: "/api/v1/namespaces/NAMESPACE/configmaps",
  Deployment: "/apis/apps/v1/namespaces/NAMESPACE/deployments",
  Ingress: "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses",
};

async function addModels(api: KubernetesApi, namespace: string, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) {
    const objects = objectsOf(`other-${index}`, namespace);
    await Promise.all(
      objects.map((body) =>
        api.json({
          method: "POST",
          path: (collections[body.kind ?? ""] ?? "").replace("NAMESPACE", namespace),
          body,
        }),
      ),
    );
  }
}

/** One model's `up` in a namespace and a cluster with more and more other models. */
export async function estate(runs: number): Promise<string[]> {
  const lines: string[] = [];
  const project = await ModelProject.create("bench-estate");
  // Half of the others are neighbours in the namespace, half are elsewhere in the cluster.
  const elsewhere = await TestNamespace.create("bench-others");
  const slot = (image: string, note: number) => ({
    image,
    replicas: 1,
    imagePullPolicy: "Never",
    env: { NOTE: String(note) },
  });
  let note = 0;
  const configure = (green: number) =>
    project.configure({ slots: { blue: slot(testImages.blue, 0), green: slot(testImages.green, green) } });
  try {
    await configure(note);
    await project.result(["up"]);
    let present = 1;
    const floors: Partial<Record<"unchanged" | "changed", Summary>> = {};
    for (const size of sizes) {
      const half = Math.ceil(size / 2);
      await addModels(project.namespace.api, project.namespace.name, Math.ceil(present / 2), half);
      await addModels(elsewhere.api, elsewhere.name, Math.floor(present / 2), Math.floor(size / 2));
      present = size;
      await untilServed(project.namespace.api, [project.namespace.name, elsewhere.name]);
      const unchanged: number[] = [];
      const changed: number[] = [];
      for (let index = 0; index < runs; index++) {
        unchanged.push(await timed(() => project.result(["up"])));
        note += 1;
        await configure(note);
        changed.push(await timed(() => project.result(["up"])));
      }
      const [same, different] = [summarise(unchanged), summarise(changed)];
      floors.unchanged ??= same;
      floors.changed ??= different;
      const models = size === 1 ? "1 model" : `${size} models`;
      lines.push(
        line(`up without change, in an estate of ${models} (goal 1.10×)`, same, floors.unchanged),
        line(`up of a new idle release, in an estate of ${models} (goal 1.10×)`, different, floors.changed),
      );
    }
  } finally {
    await project.remove();
    await elsewhere.remove();
  }
  return lines;
}
