import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoadRun } from "../../demo/load.ts";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { resultOf } from "./cli-process.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

/** `npm run test:soak` kills at every boundary between steps. */
const boundaries = isSoak
  ? {
      adopt: ["adopt-record", "adopt-owners", "adopt-import", "adopt-apply", "adopt-check", "adopt-finish"],
      undo: ["undo-record", "undo-release", "undo-delete", "undo-restore", "undo-forget"],
    }
  : {
      adopt: ["adopt-owners", "adopt-apply"],
      undo: ["undo-delete", "undo-restore"],
    };

let project: ModelProject;
let load: LoadRun;
const stop = new AbortController();

const otherHost = () => `old-${project.host}`;
const apps = () => `/apis/apps/v1/namespaces/${project.namespace.name}`;
const core = () => `/api/v1/namespaces/${project.namespace.name}`;
const scaling = () => `/apis/autoscaling/v2/namespaces/${project.namespace.name}`;
const networking = () => `/apis/networking.k8s.io/v1/namespaces/${project.namespace.name}`;

/** What somebody deployed by hand, with kubectl: names, labels and ports as they like them. */
async function deployByHand(): Promise<void> {
  const { api } = project.namespace;
  const create = (path: string, body: KubernetesObject) => {
    const note = JSON.stringify(body);
    const annotations = {
      ...body.metadata?.annotations,
      "kubectl.kubernetes.io/last-applied-configuration": note,
    };
    return api.json({
      method: "POST",
      path,
      query: { fieldManager: "kubectl-client-side-apply" },
      body: { ...body, metadata: { ...body.metadata, annotations } },
    });
  };
  const labels = { app: "fraud", "app.kubernetes.io/instance": "prod" };
  await create(`${apps()}/deployments`, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "fraud-server", labels: { ...labels, team: "risk" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "fraud" } },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "server",
              image: testImages.blue,
              imagePullPolicy: "Never",
              env: [{ name: "LEVEL", value: "info" }],
              ports: [{ name: "web", containerPort: 8080 }],
              resources: { requests: { cpu: "10m", memory: "16Mi" } },
              readinessProbe: { httpGet: { path: "/v2/health/ready", port: "web" }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });
  await create(`${core()}/services`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "fraud-api", labels },
    spec: {
      selector: { app: "fraud" },
      ports: [{ name: "web", port: 8000, targetPort: "web" }],
    },
  });
  await create(`${networking()}/ingresses`, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "fraud",
      labels,
      // As in the tutorials of old: the class by an annotation, and more than one way to the model.
      annotations: {
        "kubernetes.io/ingress.class": "nginx",
        "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
      },
    },
    spec: {
      rules: [project.host, otherHost()].map((host) => ({
        host,
        http: {
          paths: [
            {
              path: "/",
              pathType: "Prefix",
              backend: { service: { name: "fraud-api", port: { name: "web" } } },
            },
          ],
        },
      })),
    },
  });
  await create(`${scaling()}/horizontalpodautoscalers`, {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: {
      name: "fraud-scale",
      labels: { ...labels, team: "risk" },
      // As an adapter of metrics reads them.
      annotations: { "metric-config.external.queue/interval": "30s" },
    },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "fraud-server" },
      minReplicas: 2,
      maxReplicas: 4,
      // The load of the test is not to reach it.
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 9000 } },
        },
      ],
    },
  });
  await project.namespace.untilReady("fraud-server", 2);
}

/** Everything about an object that is somebody's doing: not its version, nor when fields were written, nor its status. */
async function declaredOf(path: string): Promise<unknown> {
  const object = await project.namespace.api.find(path);
  const { labels, annotations, uid, managedFields = [] } = object?.metadata ?? {};
  const owners = (managedFields as { manager: string; subresource?: string; time?: string }[])
    .filter(({ subresource }) => subresource === undefined)
    .map(({ time: _time, ...entry }) => entry);
  return { uid, labels, annotations, owners, spec: object?.spec };
}

const everything = async () => ({
  deployment: await declaredOf(`${apps()}/deployments/fraud-server`),
  service: await declaredOf(`${core()}/services/fraud-api`),
  ingress: await declaredOf(`${networking()}/ingresses/fraud`),
  autoscaler: await declaredOf(`${scaling()}/horizontalpodautoscalers/fraud-scale`),
});

interface Pod extends KubernetesObject {
  readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] };
}

/** The pods of what was deployed by hand, each with all that a restart would change. */
async function pods(): Promise<unknown[]> {
  const { items } = await project.namespace.api.json<{ items: Pod[] }>({
    method: "GET",
    path: `${core()}/pods`,
    query: { labelSelector: "app=fraud" },
  });
  return items
    .map(({ metadata, status }) => ({
      uid: metadata?.uid,
      created: metadata?.creationTimestamp,
      restarts: status.containerStatuses.map(({ restartCount }) => restartCount),
    }))
    .toSorted((a, b) => String(a.uid).localeCompare(String(b.uid)));
}

const names = async (path: string) => {
  const { items } = await project.namespace.api.json<{ items: KubernetesObject[] }>({ method: "GET", path });
  return items.map(({ metadata }) => metadata?.name);
};

/** Runs a command and kills it hard once the step named has started. */
async function killedAt(marker: string, args: readonly string[]): Promise<void> {
  let isKilled = false;
  const kill = (child: ChildProcess) => {
    child.stdout?.on("data", (text: string) => {
      if (isKilled || !text.includes(`"id":"${marker}"`)) return;
      isKilled = true;
      child.kill("SIGKILL");
    });
  };
  const { stdout, stderr } = await project.command([...args, "--yes", "--json"], { onStart: kill });
  expect(isKilled, `${marker}\n${stdout}\n${stderr}`).toBe(true);
}

/** `up` has nothing to do; where it has, all of what it said and what Pulumi knew before tell why. */
async function expectNoChange(): Promise<void> {
  const state = await project.command(["state", "export"]);
  const { exitCode, stdout, stderr } = await project.command(["up", "--json"]);
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  expect(resultOf(stdout).changes, `${stdout}\n${stderr}\n${state.stdout}`).toEqual([]);
}

describe("adopting what runs already", () => {
  let found: Awaited<ReturnType<typeof everything>>;
  let podsBefore: unknown[];

  beforeAll(async () => {
    project = await ModelProject.create("adopt");
    await deployByHand();
    found = await everything();
    podsBefore = await pods();
    await until("the ingress controller knows the pods", async () => (await versionAt(project.host)) === "1");
    load = project.startLoad(20, stop.signal);
  });

  afterAll(async () => {
    stop.abort();
    await project.remove();
  });

  test("`init --from` describes what runs, shows the plan, and writes nothing into the cluster", async () => {
    const { exitCode, stdout, stderr } = await project.command([
      "init",
      "--from",
      "ingress/fraud",
      "--namespace",
      project.namespace.name,
    ]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain("Deployment fraud-server: 2 replicas");
    expect(stdout).toContain("their template stays as it is");
    expect(stdout).toContain("HorizontalPodAutoscaler fraud-scale: 2 to 4 replicas");
    expect(await everything()).toEqual(found);
    await project.edit((text) =>
      text
        .replace(
          /identity: .*,\n/,
          'identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },\n    preStopSleepSeconds: 3,\n    longestRequestSeconds: 5,\n',
        )
        .replace(
          /\}\);\n$/,
          '  rollout: { steps: "50%:1s", settle: 1, soak: 1, drain: 3, rollbackWindow: 600 },\n});\n',
        ),
    );
  });

  test("before it is adopted, `up` says what to do, and `adopt` asks", async () => {
    const up = await project.command(["up", "--json"]);
    expect(up.exitCode).toBe(2);
    expect(up.stdout).toContain("not-adopted");
    const asked = await project.command(["adopt"]);
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain("fraud-green with 0 replicas");
    expect(await everything()).toEqual(found);
  });

  test("killed at each step of it, `adopt` goes on; no pod restarts", async () => {
    for (const marker of boundaries.adopt) {
      await killedAt(marker, ["adopt"]);
      expect(await pods()).toEqual(podsBefore);
    }
    const stopped = await project.command(["switch", "green", "--json"]);
    expect(stopped.stdout).toContain("adoption-unfinished");
    expect(await project.result(["adopt", "--yes"])).toMatchObject({
      slot: "blue",
      pods: 2,
      proof: { state: "proved" },
    });
    expect(await pods()).toEqual(podsBefore);
    expect(await project.result(["adopt", "--yes"])).toMatchObject({ alreadyThere: true });
    expect(await project.result(["status"])).toMatchObject({ live: "blue", pending: null });
    await expectNoChange();
    const { deployment, autoscaler } = await everything();
    expect(autoscaler).toMatchObject({ spec: (found.autoscaler as { spec: unknown }).spec });
    expect(await names(`${scaling()}/horizontalpodautoscalers`)).toEqual(["fraud-scale"]);
    expect(deployment).toMatchObject({
      labels: {
        team: "risk",
        "app.kubernetes.io/instance": "prod",
        "app.kubernetes.io/managed-by": "modelswitch",
      },
      spec: (found.deployment as { spec: unknown }).spec,
    });
  });

  test("killed at each step of it, `adopt --undo` goes on and gives everything back", async () => {
    for (const marker of boundaries.undo) await killedAt(marker, ["adopt", "--undo"]);
    // Killed at its last step it may be done.
    if ((await names(`${core()}/configmaps`)).includes("fraud-modelswitch"))
      await project.result(["adopt", "--undo", "--yes"]);
    expect(await everything()).toEqual(found);
    // Half an adoption is given back as well as a whole one.
    await killedAt("adopt-apply", ["adopt"]);
    await project.result(["adopt", "--undo", "--yes"]);
    expect(await everything()).toEqual(found);
    expect(await pods()).toEqual(podsBefore);
    expect(await names(`${apps()}/deployments`)).toEqual(["fraud-server"]);
    expect(await names(`${core()}/services`)).toEqual(["fraud-api"]);
    expect(await names(`${networking()}/ingresses`)).toEqual(["fraud"]);
    expect(await names(`${core()}/configmaps`)).not.toContain("fraud-modelswitch");
    const again = await project.command(["adopt", "--undo", "--yes", "--json"]);
    expect(again.stdout).toContain("undo-refused");
  });

  const autoscalerOf = async (name: string) => {
    const found = await project.namespace.api.find(`${scaling()}/horizontalpodautoscalers/${name}`);
    return (found as { spec: unknown }).spec;
  };
  const replicasOf = async (name: string) => {
    const found = await project.namespace.api.find(`${apps()}/deployments/${name}`);
    return (found as { spec: { replicas: number } }).spec.replicas;
  };
  const containersOf = async (name: string) => {
    const found = await project.namespace.api.find(`${apps()}/deployments/${name}`);
    const { template } = (found as { spec: { template: { spec: { containers: { name: string }[] } } } }).spec;
    return template.spec.containers.map((container) => container.name);
  };
  const release = (...settings: string[]) =>
    project.result(["release", ...settings.flatMap((setting) => ["--set", setting])]);

  test("adopted again, a release goes live in green at blue's present size, and blue takes over again", async () => {
    await project.result(["adopt", "--yes"]);
    expect(await pods()).toEqual(podsBefore);
    const empty = await project.command(["switch", "green", "--json"]);
    expect(empty.stdout).toContain("slot-empty");
    // The autoscaler makes another pod, of the template that was found.
    await project.namespace.api.json({
      method: "PATCH",
      path: `${scaling()}/horizontalpodautoscalers/fraud-scale`,
      contentType: "application/merge-patch+json",
      query: { fieldManager: "somebody" },
      body: { spec: { minReplicas: 3 } },
    });
    await project.namespace.untilReady("fraud-server", 3);
    const grown = await pods();
    const autoscaler = await autoscalerOf("fraud-scale");
    expect(grown).toEqual(expect.arrayContaining(podsBefore));
    await expectNoChange();

    await killedAt("deploy-green", ["release", "--set", `image=${testImages.green}`]);
    const busy = await project.command(["adopt", "--undo", "--yes", "--json"]);
    expect(busy.stdout).toContain("rollout-in-progress");
    await project.result(["resume"]);
    expect([await replicasOf("fraud-server"), await replicasOf("fraud-green")]).toEqual([3, 3]);
    expect(await autoscalerOf("fraud-green")).toMatchObject({
      scaleTargetRef: { name: "fraud-green" },
      minReplicas: 3,
      maxReplicas: 4,
    });
    const path = `${scaling()}/horizontalpodautoscalers/fraud-green`;
    expect((await project.namespace.api.find<KubernetesObject>(path))?.metadata).toMatchObject({
      labels: { team: "risk", version: "green" },
      annotations: { "metric-config.external.queue/interval": "30s" },
    });
    expect(await versionAt(project.host)).toBe("2");
    expect(await versionAt(otherHost())).toBe("2");
    const refused = await project.command(["adopt", "--undo", "--yes", "--json"]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout).toContain("green carries 100 % of the traffic");

    // Blue is still what was found: its pods, its size, its autoscaler.
    expect(await project.result(["rollback"])).toMatchObject({ target: "blue" });
    expect(await versionAt(project.host)).toBe("1");
    expect(await pods()).toEqual(grown);
    expect(await replicasOf("fraud-green")).toBe(0);
    expect(await names(`${scaling()}/horizontalpodautoscalers`)).toEqual(["fraud-scale"]);
    expect(await autoscalerOf("fraud-scale")).toEqual(autoscaler);
  });

  test.runIf(isSoak)(
    "scaled down, blue comes back with the template and the autoscaler that were found",
    async () => {
      await project.edit((text) => text.replace("rollbackWindow: 600", "rollbackWindow: 1"));
      await release(`image=${testImages.green}`);
      await expect
        .poll(
          async () => {
            await project.result(["reconcile"]);
            return await replicasOf("fraud-server");
          },
          { timeout: 60_000 },
        )
        .toBe(0);
      expect(await names(`${scaling()}/horizontalpodautoscalers`)).toEqual(["fraud-green"]);
      await project.result(["up"]);
      expect(await replicasOf("fraud-server")).toBe(0);
      expect(await project.result(["rollback"])).toMatchObject({ target: "blue" });
      expect(await versionAt(project.host)).toBe("1");
      expect(await replicasOf("fraud-server")).toBe(3);
      expect(await containersOf("fraud-server")).toEqual(["server"]);
      expect(await autoscalerOf("fraud-scale")).toMatchObject({
        scaleTargetRef: { name: "fraud-server" },
        maxReplicas: 4,
      });
      await project.edit((text) => text.replace("rollbackWindow: 1", "rollbackWindow: 600"));
    },
  );

  test("a later release into blue replaces the template that was found, whole", async () => {
    const before = await pods();
    await project.edit((text) =>
      text.replace(/autoscaling: \{(?:[^{}]|\{[^{}]*\})*\}/, "replicas: 3").replace('steps: "50%:1s", ', ""),
    );
    await project.result(["up"]);
    expect(await names(`${scaling()}/horizontalpodautoscalers`)).toEqual([]);
    expect(await pods()).toEqual(before);
    await release(`image=${testImages.green}`);
    expect(await release("env.LEVEL=debug")).toMatchObject({ target: "blue" });
    expect(await containersOf("fraud-server")).toEqual(["model"]);
    expect(await versionAt(project.host)).toBe("1");
    await project.result(["adopt", "--undo", "--yes"]);
    expect(await names(`${networking()}/ingresses`)).toEqual(["fraud"]);
    const { autoscaler } = await everything();
    expect({ ...(autoscaler as object), uid: undefined }).toEqual({
      ...(found.autoscaler as object),
      uid: undefined,
    });
    const report = await load.stop();
    expect(report.failed, failuresOf(report)).toBe(0);
    expect(Object.keys(report.versions).toSorted()).toEqual(["1", "2"]);
  });
});
