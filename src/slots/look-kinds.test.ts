import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, FakeCluster, testNamespace } from "../../test/support/rollout-bench.ts";
import { type WaitedKind, whenHopeless, whyUnready } from "./why-unready.ts";

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.intercept = ({ path }) =>
    path.endsWith("/ingressclasses")
      ? { status: 200, body: JSON.stringify(classes), headers: {} }
      : undefined;
});

const classes = {
  items: [{ metadata: { name: "nginx" }, spec: { controller: "k8s.io/ingress-nginx" } }],
};
const labels = { app: "web" };
const core = `/api/v1/namespaces/${testNamespace}`;

const place = (signal = new AbortController().signal) => ({
  api: cluster,
  namespace: testNamespace,
  name: "web",
  signal,
});

const why = async (kind: WaitedKind) => await whyUnready(kind, place());

function pod(name: string, status: object, more: { labels?: object; owner?: string } = {}): void {
  cluster.put(`${core}/pods/${name}`, {
    metadata: {
      name,
      labels: {
        ...labels,
        "controller-revision-hash": "new",
        "pod-template-generation": "1",
        ...more.labels,
      },
      ownerReferences: [{ kind: "Any", name: "web", uid: more.owner ?? "uid" }],
    },
    spec: { nodeName: "one" },
    status,
  });
}

const noImage = {
  containerStatuses: [{ name: "model", image: "web:9", state: { waiting: { reason: "ErrImageNeverPull" } } }],
};
const noImageWords = "The image web:9 is not on the node, and imagePullPolicy is Never";
const ready = { conditions: [{ type: "Ready", status: "True" }] };

const workloads = {
  StatefulSet: (wanted: number, now: number) => ({
    metadata: { uid: "uid", generation: 1 },
    spec: { replicas: wanted, selector: { matchLabels: labels } },
    status: { observedGeneration: 1, readyReplicas: now, updatedReplicas: wanted, updateRevision: "new" },
  }),
  DaemonSet: (wanted: number, now: number) => ({
    metadata: {
      uid: "uid",
      generation: 1,
      annotations: { "deprecated.daemonset.template.generation": "1" },
    },
    spec: { selector: { matchLabels: labels } },
    status: {
      observedGeneration: 1,
      desiredNumberScheduled: wanted,
      numberReady: now,
      updatedNumberScheduled: wanted,
    },
  }),
};

describe.each(["StatefulSet", "DaemonSet"] as const)("a %s", (kind) => {
  const path = `/apis/apps/v1/namespaces/${testNamespace}/${kind.toLowerCase()}s/web`;

  test("says how many replicas are ready, and what its own pods are at", async () => {
    cluster.put(path, workloads[kind](2, 1));
    pod("web-0", ready);
    pod("web-1", noImage);
    pod("stranger", noImage, { owner: "another" });
    expect(await why(kind)).toEqual({
      lines: ["1 of 2 replicas ready", `pod web-1: ${noImageWords}`],
      hasFailed: false,
    });
    cluster.put(path, workloads[kind](2, 2));
    expect((await why(kind)).lines).toEqual([]);
  });

  test("is hopeless for what its present pods lack, not for those of before", async () => {
    const clock = new FakeClock();
    const old = { labels: { "controller-revision-hash": "old", "pod-template-generation": "0" } };
    cluster.put(path, workloads[kind](1, 0));
    pod("web-0", noImage, old);
    const found = whenHopeless(kind, place(), clock);
    const startedAt = clock.now();
    await clock.whenPassed(120_000);
    pod("web-0", noImage);
    expect((await found).join()).toContain(noImageWords);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(120_000);
  });

  test("says why no pod can be made", async () => {
    cluster.put(path, workloads[kind](1, 0));
    cluster.put(`${core}/events/one`, { reason: "FailedCreate", message: "exceeded quota: small" });
    expect((await why(kind)).lines).toEqual(["0 of 1 replicas ready; exceeded quota: small"]);
  });
});

describe("a Job", () => {
  const path = `/apis/batch/v1/namespaces/${testNamespace}/jobs/web`;
  const job = (status: object) => ({
    metadata: { uid: "uid" },
    spec: { selector: { matchLabels: labels } },
    status,
  });
  const exit = (exitCode: number) => ({
    phase: "Failed",
    containerStatuses: [{ name: "model", state: { terminated: { exitCode } } }],
  });

  test("is hopeless where its pods cannot begin", async () => {
    cluster.put(path, job({}));
    pod("web-a", noImage);
    const lines = await whenHopeless("Job", place(), new FakeClock());
    expect(lines).toEqual(["0 of 1 pod ended well", `pod web-a: ${noImageWords}`]);
  });

  test("is to try again where its pods fail, and says so when it has given up", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    cluster.put(path, job({}));
    pod("web-a", exit(3));
    const found = whenHopeless("Job", place(stop.signal), clock);
    await clock.whenPassed(300_000);
    stop.abort();
    await expect(found).rejects.toMatchObject({ code: "interrupted" });
    const message = "Job has reached the specified backoff limit";
    cluster.put(
      path,
      job({ conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message }] }),
    );
    expect(await why("Job")).toEqual({
      lines: [`BackoffLimitExceeded: ${message}`, "pod web-a: Container model ended: exit code 3"],
      hasFailed: true,
    });
    cluster.put(path, job({ conditions: [{ type: "Complete", status: "True" }] }));
    expect((await why("Job")).lines).toEqual([]);
  });
});

describe("a Service", () => {
  const path = `${core}/services/web`;

  test("says which pods it lacks, and what those that there are lack", async () => {
    cluster.put(path, { spec: { selector: labels } });
    expect((await why("Service")).lines).toEqual(["no pod has the labels that it selects (app=web)"]);
    pod("web-a", noImage);
    expect((await why("Service")).lines).toEqual([
      "no pod that it selects (app=web) is ready",
      `pod web-a: ${noImageWords}`,
    ]);
    pod("web-b", ready);
    expect((await why("Service")).lines).toEqual([]);
  });

  test("of type LoadBalancer says that nobody gives it an address", async () => {
    const shape = { spec: { type: "LoadBalancer", selector: labels } };
    cluster.put(path, shape);
    pod("web-b", ready);
    expect((await why("Service")).lines.join()).toContain("it has no address yet");
    cluster.put(path, { ...shape, status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } } });
    expect((await why("Service")).lines).toEqual([]);
  });
});

describe("an Ingress", () => {
  const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/web`;
  const ingress = (ingressClassName: string, status: object = {}) => ({
    spec: {
      ingressClassName,
      rules: [{ http: { paths: [{ backend: { service: { name: "web" } } }] } }],
    },
    status,
  });

  test("says who has to give it an address, and which of its Services is missing", async () => {
    cluster.put(path, ingress("ngnix"));
    expect((await why("Ingress")).lines).toEqual([
      "it has no address yet: The cluster has no IngressClass ngnix, so nobody would serve the Ingress. It has nginx; it leads to the Service web, which is not there",
    ]);
    cluster.put(path, ingress("nginx"));
    cluster.put(`${core}/services/web`, {});
    expect((await why("Ingress")).lines).toEqual([
      "it has no address yet: the class nginx belongs to the controller k8s.io/ingress-nginx: it has to run, and to publish its address",
    ]);
    cluster.put(path, ingress("nginx", { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } }));
    expect((await why("Ingress")).lines).toEqual([]);
  });
});
