import { expect, test } from "vitest";
import { FakeCluster, putSlot, testNamespace } from "../../test/support/rollout-bench.ts";
import { markAnnotation } from "../component/deployment.ts";
import { nginx } from "../component/routers/nginx.ts";
import { observeSlot } from "./observe.ts";

const template = (image: string, env: readonly object[] = []) => [{ name: "model", image, env }];

/** A slot whose Deployment says `wanted`, with pods that all were made in the same second. */
function slotWith(wanted: readonly object[], pods: Readonly<Record<string, readonly object[]>>) {
  const cluster = new FakeCluster();
  putSlot(cluster, "blue", { replicas: 1 });
  cluster.remove(`/api/v1/namespaces/${testNamespace}/pods/fraud-blue-0`);
  cluster.put(`/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-blue`, {
    spec: { replicas: 2, template: { spec: { containers: wanted } } },
    status: { replicas: 3, updatedReplicas: 1 },
  });
  for (const [hash, containers] of Object.entries(pods)) {
    cluster.put(`/api/v1/namespaces/${testNamespace}/pods/fraud-blue-${hash}`, {
      metadata: {
        labels: { app: "fraud", version: "blue", "pod-template-hash": hash },
        creationTimestamp: "2026-11-24T08:00:00Z",
      },
      spec: { containers },
      status: { phase: "Pending" },
    });
  }
  return observeSlot({ api: cluster, namespace: testNamespace, model: "fraud", router: nginx }, "blue");
}

const former = async (observed: ReturnType<typeof slotWith>) =>
  Object.fromEntries((await observed).pods.map(({ name, former }) => [name.split("-").at(-1), former]));

test("a pod of a former template is known by what it runs, however new it is", async () => {
  const pods = { old: template("gone:1"), new: template("fraud:2") };
  expect(await former(slotWith(template("fraud:2"), pods))).toEqual({ old: true, new: false });
  expect(await former(slotWith(template("gone:1"), pods))).toEqual({ old: false, new: true });
});

test("before there is a pod of the present template, all are former ones", async () => {
  expect(await former(slotWith(template("fraud:2"), { old: template("gone:1") }))).toEqual({ old: true });
});

test("the mark of a pod is what it notes; of one without a note, what its slot is said to have", async () => {
  const cluster = new FakeCluster();
  putSlot(cluster, "blue", { replicas: 2 });
  const noted = `/api/v1/namespaces/${testNamespace}/pods/fraud-blue-1`;
  const pod = cluster.get(noted);
  cluster.put(noted, {
    ...pod,
    metadata: { ...pod?.metadata, annotations: { [markAnnotation]: "8" } },
  });
  const location = { api: cluster, namespace: testNamespace, model: "fraud", router: nginx };
  const marks = async (said: object) =>
    (await observeSlot({ ...location, ...said }, "blue")).pods.map(({ mark }) => mark);
  expect(await marks({ marks: { blue: "7" } })).toEqual(["7", "8"]);
  expect(await marks({ marks: { green: "7" } })).toEqual([undefined, "8"]);
});

test("what admission adds to pods makes no other template", async () => {
  const injected = [
    ...template("fraud:2", [{ name: "REGION", value: "eu" }]),
    { name: "proxy", image: "p:1" },
  ];
  expect(await former(slotWith(template("fraud:2"), { a: injected }))).toEqual({ a: false });
  const other = template("fraud:2", [{ name: "THRESHOLD", value: "0.5" }]);
  const wanted = template("fraud:2", [{ name: "THRESHOLD", value: "0.7" }]);
  expect(await former(slotWith(wanted, { a: other }))).toEqual({ a: true });
});
