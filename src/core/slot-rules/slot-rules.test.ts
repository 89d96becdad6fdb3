import { describe, expect, test } from "vitest";
import { slotProblems } from "./slot-rules.ts";

const lines = (slot: object) =>
  slotProblems(slot as Readonly<Record<string, unknown>>).map(
    ({ path, message }) => `${path.map(String).join(".")}: ${message}`,
  );

const digest = `sha256:${"a".repeat(64)}`;

describe("what a slot runs", () => {
  test("a full one is fine", () => {
    const slot = {
      image: `registry/fraud:1.5@${digest}`,
      autoscaling: { min: 2, max: 5, cpu: 70 },
      disruptionBudget: { minAvailable: 1 },
      model: { uri: "s3://models/fraud", digest, fetcher: { env: { KEY: { secret: "s3", key: "key" } } } },
      env: { A: "1", TOKEN: { secret: "token", key: "token" } },
      configFiles: { "/etc/model/config.json": "{}" },
      secrets: [{ secret: "tls", mountPath: "/etc/tls" }],
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "2Gi" } },
      gpus: 1,
      volumeMounts: [{ name: "cache", mountPath: "/cache" }],
      pod: {
        labels: { team: "fraud" },
        tolerations: [{ operator: "Exists" }, { key: "gpu", value: "yes", effect: "NoSchedule" }],
        volumes: [{ name: "cache", emptyDir: {} }],
        containers: [{ name: "proxy", image: "proxy:1" }],
      },
    };
    expect(lines(slot)).toEqual([]);
  });

  test.each([
    [
      { replicas: 2, autoscaling: { min: 1, max: 2, metrics: [] } },
      "replicas: is given, and autoscaling too",
    ],
    [{ autoscaling: { min: 3, max: 2, metrics: [] } }, "autoscaling.min: 3 is more than autoscaling.max 2"],
    [{ autoscaling: { min: 0, max: 2, metrics: [] } }, "autoscaling.min: 0 is too small"],
    [
      { autoscaling: { min: 1, max: 2 } },
      "autoscaling: aims at 80 % of the requested cpu, but resources.requests.cpu is missing",
    ],
    [
      { autoscaling: { min: 1, max: 2, memory: 70 } },
      "autoscaling.memory: aims at 70 % of the requested memory",
    ],
    [{ disruptionBudget: { maxUnavailable: 0 } }, "disruptionBudget.maxUnavailable: is 0, so no node"],
    [
      { replicas: 2, disruptionBudget: { minAvailable: 2 } },
      "disruptionBudget.minAvailable: is 2 of 2 replicas",
    ],
    [
      { resources: { limits: { memory: "1GB" } } },
      'resources.limits.memory: "1GB" is no quantity; did you mean "1Gi"',
    ],
    [{ resources: { requests: { memory: "64 mib" } } }, 'did you mean "64Mi"?'],
    [
      { resources: { requests: { cpu: "2" }, limits: { cpu: "500m" } } },
      'resources.requests.cpu: "2" is more than limits.cpu "500m"',
    ],
    [{ gpus: 0.5 }, "gpus: 0.5 is no whole number, and Kubernetes only gives whole GPUs"],
    [{ gpus: 0 }, "gpus: 0 is too small"],
    [{ gpus: { count: 1, resource: "gpu" } }, 'gpus.resource: "gpu" is no resource of a device plug-in'],
    [
      { gpus: 1, resources: { limits: { "nvidia.com/gpu": "1" } } },
      'gpus: is given, and resources.limits["nvidia.com/gpu"] too',
    ],
    [{ model: { uri: "models/fraud" } }, 'model.uri: "models/fraud" has no scheme'],
    [{ model: { uri: "https://user:word@host/m" } }, "contains credentials"],
    [{ model: { uri: "s3://bucket" } }, "is not complete; write s3://BUCKET/PATH"],
    [{ model: { uri: "pvc://claim/../x" } }, "leads out of the volume"],
    [{ model: { uri: "s3://b/m", digest: "sha256:12" } }, 'model.digest: "sha256:12" is no digest'],
    [
      { model: { uri: `oci://a/b@${digest}`, digest } },
      "model.digest: is given, and the oci:// URI has a digest, too",
    ],
    [{ model: { uri: "oci://a/b", fetcher: {} } }, "model.fetcher: is given, but an oci:// model"],
    [{ env: { A: { secret: "a", configMap: "b", key: "c" } } }, "env.A: names a Secret and a ConfigMap"],
    [{ configFiles: { "etc/x": "" } }, "configFiles.etc/x: is no absolute path"],
    [{ configFiles: { "/x": "a".repeat(300 * 1024) } }, "configFiles: are 300 KiB together, but may be 256"],
    [
      { model: { uri: "s3://b/m" }, secrets: [{ secret: "s", mountPath: "/mnt/models/" }] },
      'secrets.0.mountPath: "/mnt/models/" is where the model is mounted',
    ],
    [
      { volumeMounts: [{ name: "cahce", mountPath: "/c" }], pod: { volumes: [{ name: "cache" }] } },
      'volumeMounts.0.name: "cahce" is none of pod.volumes (cache)',
    ],
    [
      { pod: { containers: [{ name: "model", image: "x" }] } },
      'pod.containers.0.name: "model" is the name of modelswitch\'s own container',
    ],
    [{ pod: { containers: [{ name: "a" }] } }, "pod.containers.0.image: is missing"],
    [{ pod: { labels: { version: "blue" } } }, 'pod.labels.version: cannot be "blue"'],
    [
      { pod: { tolerations: [{ key: "a", tolerationSeconds: 3 }] } },
      "pod.tolerations.0.tolerationSeconds: only works with effect: NoExecute",
    ],
  ])("%j is refused", (slot, expected) => {
    expect(lines(slot)).toHaveLength(1);
    expect(lines(slot)[0]).toContain(expected);
  });
});
