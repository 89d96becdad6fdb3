import type { ModelProject } from "../../test/e2e/model-project.ts";
import { imageOf } from "../../test/e2e/release-project.ts";
import { until } from "../../test/e2e/test-cluster.ts";
import { kubectl } from "./kubectl.ts";
import { model, replicas } from "./subject.ts";

export const labels = { app: model };

/**
 * The pods of the test server as modelswitch writes them: same probe, same wait before they end. That is a request of three seconds:
 * Flagger drops `preStop.sleep`, which is newer than its client of Kubernetes, and makes no Deployment without it.
 */
export const podTemplate = (version: string) => ({
  metadata: { labels },
  spec: {
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: "model",
        image: imageOf(version),
        imagePullPolicy: "Never",
        ports: [{ name: "http", containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/v2/health/ready", port: 8080 }, periodSeconds: 1 },
        lifecycle: { preStop: { httpGet: { path: "/slow?ms=3000", port: 8080 } } },
      },
    ],
  },
});

export const workload = (version: string) => ({
  replicas,
  selector: { matchLabels: labels },
  template: podTemplate(version),
});

export const service = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
});

export const ingress = (project: ModelProject, backend: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: model },
  spec: {
    ingressClassName: "nginx",
    rules: [
      {
        host: project.host,
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: backend, port: { number: 80 } } } },
          ],
        },
      },
    ],
  },
});

export async function apply(project: ModelProject, ...items: readonly unknown[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(
    ["-n", project.namespace.name, "apply", "--server-side", "--force-conflicts", "-f", "-"],
    list,
  );
}

/** A merge patch by the API alone: no process of theirs is started, which is to their advantage. */
export async function patch(project: ModelProject, path: string, body: unknown): Promise<void> {
  await project.namespace.api.json({
    method: "PATCH",
    path,
    contentType: "application/merge-patch+json",
    body,
  });
}

/** Waits until an object is as it is meant, asking ten times a second. */
export async function untilObject<T>(
  project: ModelProject,
  path: string,
  what: string,
  isSo: (found: T) => boolean,
): Promise<void> {
  await until(
    what,
    async () => {
      const found = await project.namespace.api.find(path);
      return found !== undefined && isSo(found as T);
    },
    300_000,
  );
}
