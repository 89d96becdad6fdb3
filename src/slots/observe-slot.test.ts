import { beforeEach, describe, expect, test } from "vitest";
import { FakeCluster, putSlot, refusal, testNamespace } from "../../test/support/rollout-bench.ts";
import { markAnnotation, objectNames } from "../core/names.ts";
import { observeSlotAt } from "./observe-slot.ts";
import { describeReadiness, readiness } from "./readiness.ts";

let cluster: FakeCluster;

const apps = `/apis/apps/v1/namespaces/${testNamespace}`;
const core = `/api/v1/namespaces/${testNamespace}`;
const labels = { app: "fraud", version: "blue" };
const revision = (number: number) => ({ "deployment.kubernetes.io/revision": String(number) });

beforeEach(() => {
  cluster = new FakeCluster();
  putSlot(cluster, "blue", { replicas: 2 });
});

const observe = (more: object = {}) =>
  observeSlotAt({ api: cluster, namespace: testNamespace, names: objectNames("fraud"), ...more }, "blue");

function change(path: string, to: object): void {
  cluster.put(path, { ...cluster.get(path), ...to });
}

function putReplicaSet(number: number, status: object = {}): void {
  cluster.put(`${apps}/replicasets/fraud-blue-${number}`, {
    metadata: {
      uid: `uid of fraud-blue-${number}`,
      labels,
      annotations: revision(number),
      ownerReferences: [{ kind: "Deployment", name: "fraud-blue", uid: "uid of fraud-blue" }],
    },
    status,
  });
}

function putPod(name: string, owner: { kind: string; uid: string } | undefined, more: object = {}): void {
  cluster.put(`${core}/pods/${name}`, {
    metadata: {
      labels,
      ...(owner === undefined ? {} : { ownerReferences: [{ name: owner.uid, ...owner }] }),
    },
    spec: { containers: [{ name: "model", image: "mirror.example.com/fraud:2" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    ...more,
  });
}

function putEndpoints(...pods: string[]): void {
  cluster.put(`/apis/discovery.k8s.io/v1/namespaces/${testNamespace}/endpointslices/fraud-blue-x`, {
    metadata: { labels: { "kubernetes.io/service-name": "fraud-blue" } },
    endpoints: pods.map((pod) => ({
      addresses: ["10.0.0.1"],
      conditions: { ready: true },
      targetRef: { kind: "Pod", name: pod, uid: pod },
    })),
  });
}

/** The Deployment is at its second revision, and each of the two has a pod. */
function putSecondRevision(): void {
  const deployment = cluster.get(`${apps}/deployments/fraud-blue`);
  change(`${apps}/deployments/fraud-blue`, {
    metadata: { ...deployment?.metadata, annotations: revision(2) },
  });
  putReplicaSet(2);
  cluster.remove(`${core}/pods/fraud-blue-1`);
  putPod("fraud-blue-new", { kind: "ReplicaSet", uid: "uid of fraud-blue-2" });
}

const former = async () =>
  Object.fromEntries((await observe()).pods.map(({ name, former }) => [name.split("-").at(-1), former]));

describe("a pod belongs to a revision", () => {
  test("by who made it, whatever admission made of it", async () => {
    putSecondRevision();
    expect(await former()).toEqual({ 0: true, new: false });
  });

  test("and before the controller has looked at a change, to none that is known", async () => {
    putSecondRevision();
    const deployment = cluster.get(`${apps}/deployments/fraud-blue`);
    change(`${apps}/deployments/fraud-blue`, { metadata: { ...deployment?.metadata, generation: 2 } });
    expect(await former()).toEqual({ 0: true, new: true });
    expect(readiness(await observe()).state).toBe("not-ready");
  });

  test("a paused Deployment runs what was before, and says so", async () => {
    const deployment = cluster.get(`${apps}/deployments/fraud-blue`);
    change(`${apps}/deployments/fraud-blue`, {
      spec: { ...(deployment?.spec as object), paused: true },
      status: { observedGeneration: 1, replicas: 2, updatedReplicas: 0 },
    });
    expect(await former()).toEqual({ 0: true, 1: true });
    expect(describeReadiness(readiness(await observe()))).toContain("kubectl rollout resume");
  });

  test("where ReplicaSets may not be read, to the present one as far as is known", async () => {
    cluster.intercept = ({ path }) => (path.endsWith("/replicasets") ? refusal(403, "Forbidden") : undefined);
    expect(await former()).toEqual({ 0: false, 1: false });
    expect(readiness(await observe()).state).toBe("ready");
  });

  test("of whatever Deployment somebody else runs them with", async () => {
    cluster.remove(`${apps}/deployments/fraud-blue`);
    putReplicaSet(2);
    putPod("fraud-blue-new", { kind: "ReplicaSet", uid: "uid of fraud-blue-2" });
    putPod("fraud-blue-own", undefined);
    expect(await former()).toEqual({ 0: true, 1: true, new: false, own: false });
  });
});

describe("ready endpoints count only", () => {
  test("where they are pods of the slot's Deployment", async () => {
    cluster.remove(`${core}/pods/fraud-blue-1`);
    putPod("debug", undefined);
    putPod("other", { kind: "ReplicaSet", uid: "somebody else's" });
    putEndpoints("fraud-blue-0", "debug", "other");
    const observed = await observe();
    expect(observed.pods.filter(({ stray }) => stray).map(({ name }) => name)).toEqual(["debug", "other"]);
    expect(describeReadiness(readiness(observed))).toBe("1 of 2 replicas ready");
  });

  test("where the pod says so, even if its Service calls everything ready", async () => {
    putSlot(cluster, "blue", { replicas: 2, ready: 1 });
    putEndpoints("fraud-blue-0", "fraud-blue-1");
    expect((await observe()).endpoints).toMatchObject({ ready: [{ pod: "fraud-blue-0" }], notReady: 1 });
  });

  test("where they have a port", async () => {
    change(`${core}/services/fraud-blue`, { spec: { selector: labels, ports: [{ targetPort: "http" }] } });
    const verdict = readiness(await observe());
    expect(verdict.state === "not-ready" && verdict.waiting[0]?.message).toContain(
      "no container of it has the port that the Service fraud-blue names",
    );
  });
});

test("pods that the Service does not select are found by who made them, and it is said what they lack", async () => {
  change(`${core}/services/fraud-blue`, { spec: { selector: { ...labels, tier: "web" } } });
  putEndpoints();
  const verdict = readiness(await observe());
  expect(verdict).toMatchObject({ state: "not-ready", readyReplicas: 0 });
  expect(verdict.state === "not-ready" && verdict.waiting[0]?.message).toBe(
    "It is ready, but the Service fraud-blue does not select it: it lacks tier=web",
  );
});

describe("pods that the cluster refuses", () => {
  const refused = (message: string) => ({
    conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }],
  });

  test("are those of the present revision: what is said of a former one is over", async () => {
    putSecondRevision();
    putReplicaSet(1, refused("of the former"));
    const deployment = cluster.get(`${apps}/deployments/fraud-blue`);
    change(`${apps}/deployments/fraud-blue`, {
      status: { ...(deployment?.status as object), ...refused("of the former") },
    });
    expect((await observe()).deployment?.refused).toBeUndefined();
    putReplicaSet(2, refused('pods "x" is forbidden: violates PodSecurity "restricted:latest"'));
    expect((await observe()).deployment?.refused).toMatchObject({ final: true });
  });

  test("with the whole ReplicaSet, the Deployment's words are shown", async () => {
    const deployment = cluster.get(`${apps}/deployments/fraud-blue`);
    const message = 'Failed to create new replica set "fraud-blue-2": policy denied request';
    change(`${apps}/deployments/fraud-blue`, {
      status: {
        ...(deployment?.status as object),
        conditions: [{ type: "Progressing", status: "False", reason: "ReplicaSetCreateError", message }],
      },
    });
    expect((await observe()).deployment?.refused).toMatchObject({ final: true, message });
  });
});

test("the mark of a pod is what it notes; of one without a note, what its slot is said to have", async () => {
  const noted = `${core}/pods/fraud-blue-1`;
  const pod = cluster.get(noted);
  cluster.put(noted, { ...pod, metadata: { ...pod?.metadata, annotations: { [markAnnotation]: "8" } } });
  const marks = async (said: object) => (await observe(said)).pods.map(({ mark }) => mark);
  expect(await marks({ mark: "7" })).toEqual(["7", "8"]);
  expect(await marks({})).toEqual([undefined, "8"]);
});
