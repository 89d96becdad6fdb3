import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelswitch, run } from "./cli-process.ts";
import { buildProbeImage, probeImage } from "./pod-probe.ts";
import { TestNamespace, testImages, until } from "./test-cluster.ts";

let namespace: TestNamespace;
const env = () => ({ KUBECONFIG: namespace.kubeconfigPath });
const kubectl = (...args: string[]) =>
  run(process.env.MODELSWITCH_TEST_KUBECTL ?? "kubectl", ["-n", namespace.name, ...args], { env: env() });

async function apply(...items: readonly Record<string, unknown>[]): Promise<void> {
  for (const item of items) {
    const { apiVersion, kind } = item as { apiVersion: string; kind: string };
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    await namespace.api.json({
      method: "POST",
      path: `${root}/namespaces/${namespace.name}/${kind.toLowerCase()}s`,
      body: item,
    });
  }
}

/** What the probe prints in a pod. */
async function inPod(pod: string, ...args: string[]): Promise<string> {
  const result = await kubectl("exec", pod, "--", "/pod-probe", ...args);
  return (result.stdout || result.stderr).split("\n")[0] ?? "";
}

const probePod = (name: string, spec: Record<string, unknown> = {}, container = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "probe", image: probeImage, args: ["sleep"], ...container }],
    ...spec,
  },
});

const isRunning = async (pod: string) =>
  (await kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}")).stdout === "Running";

beforeAll(async () => {
  namespace = await TestNamespace.create("addons");
  const archive = await buildProbeImage(namespace.folder);
  const cluster = process.env.MODELSWITCH_TEST_CLUSTER ?? "";
  const loaded = await modelswitch(["cluster", "load-image", archive, "--name", cluster]);
  expect(loaded.exitCode, loaded.stderr).toBe(0);
});

afterAll(() => namespace.remove());

describe("DNS in pods", () => {
  beforeAll(async () => {
    await namespace.deploy("model", testImages.blue, { app: "model" });
    await apply(
      probePod("asking"),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "model" },
        spec: { selector: { app: "model" }, ports: [{ port: 80, targetPort: 8080 }] },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "headless" },
        spec: { selector: { app: "model" }, clusterIP: "None", ports: [{ port: 8080 }] },
      },
    );
    await namespace.untilReady("model");
    await until("the asking pod runs", () => isRunning("asking"));
  });

  it("knows Services by every name they have", async () => {
    const address = (await kubectl("get", "service", "model", "-o", "jsonpath={.spec.clusterIP}")).stdout;
    for (const name of ["model", `model.${namespace.name}`, `model.${namespace.name}.svc.cluster.local`]) {
      await expect.poll(() => inPod("asking", "resolve", name), { timeout: 20_000 }).toBe(address);
    }
    const url = `http://model.${namespace.name}.svc.cluster.local/v2/health/ready`;
    await expect.poll(() => inPod("asking", "get", url), { timeout: 20_000 }).toBe("200");
  });

  it("knows the pods behind a headless Service", async () => {
    const pod = await kubectl("get", "pods", "-l", "app=model", "-o", "jsonpath={.items[0].status.podIP}");
    await expect.poll(() => inPod("asking", "resolve", "headless"), { timeout: 20_000 }).toBe(pod.stdout);
  });

  it("says of other names that there are none", async () => {
    expect(await inPod("asking", "resolve", "models.example.com")).toBe("not found");
    expect(await inPod("asking", "resolve", "nothing")).toBe("not found");
  });
});

describe("volumes", () => {
  const claim = () => kubectl("get", "pvc", "data", "-o", "jsonpath={.status.phase} {.spec.volumeName}");
  const writer = (name: string) =>
    probePod(
      name,
      {
        // Not root: the volume must be writable all the same.
        securityContext: { runAsUser: 4711, runAsGroup: 4711, runAsNonRoot: true },
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      },
      { volumeMounts: [{ name: "data", mountPath: "/data" }] },
    );

  it("are made for the first pod, survive it, and go with their claim", async () => {
    await apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    await until("the claim has the default storage class, and waits for a pod", async () => {
      const events = await kubectl("get", "events", "-o", "jsonpath={.items[*].reason}");
      return events.stdout.includes("WaitForFirstConsumer");
    });
    expect((await claim()).stdout).toBe("Pending ");

    await apply(writer("first"));
    await until("the first pod runs", () => isRunning("first"));
    expect((await claim()).stdout).toMatch(/^Bound pvc-/);
    expect(await inPod("first", "write", "/data/model.txt", "weights")).toBe("");
    await kubectl("delete", "pod", "first", "--wait=true");

    await apply(writer("second"));
    await until("the second pod runs", () => isRunning("second"));
    expect(await inPod("second", "read", "/data/model.txt")).toBe("weights");

    const volume = ((await claim()).stdout.split(" ")[1] ?? "").trim();
    const path = await kubectl("get", "pv", volume, "-o", "jsonpath={.spec.local.path}");
    expect(existsSync(path.stdout)).toBe(true);
    await kubectl("delete", "pod", "second", "--wait=true");
    await kubectl("delete", "pvc", "data", "--wait=true");
    await until("the volume and its folder are gone", async () => {
      const found = await kubectl("get", "pv", volume, "--ignore-not-found", "-o", "name");
      return found.exitCode === 0 && found.stdout === "" && !existsSync(path.stdout);
    });
  });

  it("refuse to be block devices, and say so at the claim", async () => {
    await apply(
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "block" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          volumeMode: "Block",
          resources: { requests: { storage: "1Gi" } },
        },
      },
      probePod(
        "block",
        { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "block" } }] },
        { volumeDevices: [{ name: "data", devicePath: "/dev/data" }] },
      ),
    );
    await until("the claim's events say why", async () => {
      const events = await kubectl("get", "events", "-o", "jsonpath={.items[*].message}");
      return /block volume|volumeMode Block/i.test(events.stdout);
    });
  });
});

describe("metrics", () => {
  it("let an autoscaler add a replica to a busy Deployment, and `kubectl top` show why", async () => {
    await apply(
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "busy" },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: "busy" } },
          template: {
            metadata: { labels: { app: "busy" } },
            spec: {
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: "probe",
                  image: probeImage,
                  args: ["burn"],
                  resources: { requests: { cpu: "10m" }, limits: { cpu: "50m" } },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "busy" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "busy" },
          minReplicas: 1,
          maxReplicas: 2,
          metrics: [
            {
              type: "Resource",
              resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 100 } },
            },
          ],
        },
      },
    );
    await until(
      "the autoscaler has added a replica",
      async () => {
        const found = await kubectl("get", "deployment", "busy", "-o", "jsonpath={.spec.replicas}");
        return found.stdout === "2";
      },
      180_000,
    );
    await namespace.untilReady("busy", 2);
    const pods = await kubectl("top", "pods", "-l", "app=busy", "--no-headers");
    expect(pods.stdout, pods.stderr).toMatch(/^busy-\S+\s+\d+m\s+\d+Mi/m);
    const nodes = await kubectl("top", "nodes", "--no-headers");
    expect(nodes.stdout, nodes.stderr).toMatch(/^modelswitch-\S+\s+\d+m/);
  });
});
