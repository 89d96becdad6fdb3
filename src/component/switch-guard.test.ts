import { describe, expect, test } from "vitest";
import type { Clock } from "../core/clock.ts";
import { type Routing, settledOn } from "../core/routing.ts";
import type { ApiRequest, KubernetesApi } from "../kubernetes/api.ts";
import { nginx } from "./routers/nginx.ts";
import { refuseChangedSelector, refuseEmptyingSlot, refuseUnreadySwitch } from "./switch-guard.ts";

const model = { model: "fraud", namespace: "ml", router: nginx };

/** A cluster of objects by path; lists are filtered by nothing, since each holds what its caller asks for. */
function cluster(objects: Record<string, unknown>): KubernetesApi {
  const answer = (path: string) => (typeof objects[path] === "function" ? objects[path]() : objects[path]);
  const listed = (path: string, selector: unknown) => answer(`${path}?${selector}`) ?? { items: [] };
  return {
    server: "https://cluster.test",
    request: () => Promise.reject(new Error("not used")),
    json: () => Promise.reject(new Error("not used")),
    find: <T>(path: string, { query }: Pick<ApiRequest, "query"> = {}) => {
      const selector = query?.labelSelector;
      return Promise.resolve(
        (selector === undefined ? answer(path) : listed(path, selector)) as T | undefined,
      );
    },
    watch: () => {
      throw new Error("not used");
    },
  };
}

/** A clock whose hours pass at once. */
function fastClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: (ms) => {
      now += ms;
      return Promise.resolve();
    },
  };
}

function ingresses(routing: Routing, uid = "1"): Record<string, unknown> {
  const objects = nginx.objects({
    model: "fraud",
    namespace: "ml",
    routing,
    ingress: { host: "h" },
    previewHeader: "X-Preview",
    servicePort: 80,
  });
  return Object.fromEntries(
    objects.map((object) => [
      `/apis/networking.k8s.io/v1/namespaces/ml/ingresses/${object.metadata.name}`,
      { ...object, metadata: { ...object.metadata, uid } },
    ]),
  );
}

function written(name: "fraud" | "fraud-canary", routing: Routing) {
  const object = ingresses(routing)[`/apis/networking.k8s.io/v1/namespaces/ml/ingresses/${name}`];
  return object as { metadata: { name: string } };
}

const pod = (name: string, waiting?: string) => ({
  metadata: { name, ownerReferences: [{ kind: "ReplicaSet", name: "green-1", uid: "rs 1" }] },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: waiting === undefined ? "True" : "False" }],
    containerStatuses: [
      { name: "model", state: waiting === undefined ? { running: {} } : { waiting: { reason: waiting } } },
    ],
  },
});

const endpoint = (uid: string, ready: boolean) => ({
  addresses: [`10.0.0.${uid}`],
  conditions: { ready },
  targetRef: { kind: "Pod", uid, name: `green-${uid}` },
});

/** Green with `pods` of which `ready` are ready, run by a Deployment or by somebody else. */
function green(pods: number, ready: number, deployment?: object): Record<string, unknown> {
  return {
    "/api/v1/namespaces/ml/services/fraud-green": { spec: { selector: { app: "fraud", version: "green" } } },
    ...(deployment === undefined
      ? {}
      : {
          "/apis/apps/v1/namespaces/ml/deployments/fraud-green": deployment,
          "/apis/apps/v1/namespaces/ml/replicasets?app=fraud,version=green": {
            items: [
              {
                metadata: {
                  uid: "rs 1",
                  annotations: { "deployment.kubernetes.io/revision": "1" },
                  ownerReferences: [{ kind: "Deployment", name: "fraud-green", uid: "deployment" }],
                },
              },
            ],
          },
        }),
    "/api/v1/namespaces/ml/pods?app=fraud,version=green": {
      items: Array.from({ length: pods }, (_, index) =>
        pod(`green-${index}`, index < ready ? undefined : "CrashLoopBackOff"),
      ),
    },
    "/apis/discovery.k8s.io/v1/namespaces/ml/endpointslices?kubernetes.io/service-name=fraud-green": {
      items: [
        // Two address families: the same pods twice.
        { endpoints: Array.from({ length: pods }, (_, index) => endpoint(String(index), index < ready)) },
        { endpoints: Array.from({ length: pods }, (_, index) => endpoint(String(index), index < ready)) },
      ],
    },
  };
}

const deployment = (desired: number, updatedReplicas = desired, replicas = desired) => ({
  metadata: {
    name: "fraud-green",
    uid: "deployment",
    generation: 2,
    annotations: { "deployment.kubernetes.io/revision": "1" },
  },
  spec: { replicas: desired },
  status: { observedGeneration: 2, replicas, updatedReplicas },
});

const toGreen = { ...model, written: written("fraud", settledOn("green")) };
const check = (objects: Record<string, unknown>, write = toGreen) =>
  refuseUnreadySwitch(cluster({ ...ingresses(settledOn("blue")), ...objects }), write, {
    clock: fastClock(),
  });

describe("a switch", () => {
  test("passes when every replica is a ready endpoint", async () => {
    await expect(check(green(3, 3, deployment(3)))).resolves.toBeUndefined();
  });

  test("passes when all pods that somebody else runs are ready", async () => {
    await expect(check(green(2, 2))).resolves.toBeUndefined();
  });

  test("is refused while a replica is not ready, with the reason", async () => {
    await expect(check(green(3, 2, deployment(3)))).rejects.toMatchObject({
      code: "slot-not-ready",
      message:
        'Refused to send traffic of "fraud" to green: 2 of 3 replicas ready; pod green-2: Container model keeps ending: no reason given (0 restarts).',
      hint: expect.stringContaining("guard: false"),
    });
  });

  test("is refused to a slot without pods", async () => {
    await expect(check(green(0, 0))).rejects.toThrow(
      /no pod with the labels app=fraud,version=green is a ready endpoint of the Service fraud-green/,
    );
  });

  test("is refused to a slot that is scaled to 0", async () => {
    await expect(check(green(0, 0, deployment(0)))).rejects.toThrow(/green has 0 replicas/);
  });

  test("is refused to a slot that is not there", async () => {
    await expect(check({})).rejects.toThrow(/the Service of green does not exist/);
  });

  test("is refused while old replicas still stand in for new ones", async () => {
    await expect(check(green(3, 3, deployment(3, 1)))).rejects.toThrow(
      /2 pods still run the former template/,
    );
  });

  test("is refused while a former pod is among the ready ones", async () => {
    await expect(check(green(4, 3, deployment(3, 3, 4)))).rejects.toThrow(
      /1 pod still runs the former template/,
    );
  });

  test("does not count a pod that is being deleted", async () => {
    const objects = green(2, 2, deployment(2));
    const pods = "/api/v1/namespaces/ml/pods?app=fraud,version=green";
    const leaving = { metadata: { name: "green-0", deletionTimestamp: "2026-11-23T08:00:00Z" } };
    await expect(
      check({ ...objects, [pods]: { items: [leaving, pod("green-1"), pod("green-2")] } }),
    ).rejects.toThrow(/1 of 2 replicas ready/);
  });

  test("waits a moment for pods that have just become ready", async () => {
    let asked = 0;
    const slices =
      "/apis/discovery.k8s.io/v1/namespaces/ml/endpointslices?kubernetes.io/service-name=fraud-green";
    const objects = green(1, 1, deployment(1));
    await check({ ...objects, [slices]: () => (asked++ < 3 ? { items: [] } : objects[slices]) });
    expect(asked).toBe(4);
  });
});

describe("a switch to a slot that an autoscaler sizes", () => {
  const toAutoscaled = { ...toGreen, autoscaled: { green: 5 } };
  const blueHas = (replicas: number) => ({
    "/api/v1/namespaces/ml/services/fraud-blue": { spec: { selector: { app: "fraud", version: "blue" } } },
    "/apis/apps/v1/namespaces/ml/deployments/fraud-blue": deployment(replicas),
  });

  test("is refused while it is smaller than the live one, as far as it may grow", async () => {
    const small = { ...green(2, 2, deployment(2)), ...blueHas(4) };
    await expect(check(small, toAutoscaled)).rejects.toMatchObject({
      code: "slot-too-small",
      message: expect.stringContaining("it has 2 replicas, but blue, which carries the traffic, has 4 now"),
      hint: expect.stringContaining("slots.green.autoscaling.min to 4"),
    });
    // One that is declared with a fixed number is as large as it is meant to be.
    await expect(check(small)).resolves.toBeUndefined();
  });

  test("passes when it is as large as the live one, or as it may be", async () => {
    await expect(
      check({ ...green(4, 4, deployment(4)), ...blueHas(4) }, toAutoscaled),
    ).resolves.toBeUndefined();
    await expect(
      check({ ...green(5, 5, deployment(5)), ...blueHas(9) }, toAutoscaled),
    ).resolves.toBeUndefined();
  });
});

describe("a write of the canary Ingress", () => {
  const canary = (weight: number) => ({
    ...model,
    written: written("fraud-canary", { main: "blue", candidate: "green", weight }),
  });

  test("is refused when it gives traffic to a slot that is not ready", async () => {
    await expect(check(green(1, 0), canary(10))).rejects.toMatchObject({ code: "slot-not-ready" });
  });

  test("passes when it takes traffic from a slot that is not ready", async () => {
    const objects = {
      ...ingresses({ main: "blue", candidate: "green", weight: 50 }),
      ...blueReady(),
      ...green(1, 0),
    };
    await expect(check(objects, canary(10))).resolves.toBeUndefined();
  });

  test("passes when it arms a slot at weight 0", async () => {
    await expect(check(green(1, 0), canary(0))).resolves.toBeUndefined();
  });
});

describe("commit of the main backend at weight 100", () => {
  test("passes whatever is ready: clients don't see it", async () => {
    const objects = { ...ingresses({ main: "blue", candidate: "green", weight: 100 }), ...green(1, 0) };
    const write = { ...model, written: written("fraud", { main: "green", candidate: "green", weight: 100 }) };
    await expect(check(objects, write)).resolves.toBeUndefined();
  });
});

describe("the cluster that is asked", () => {
  test("has to be the one that is changed", async () => {
    await expect(check(green(1, 1), { ...toGreen, uid: "another" } as typeof toGreen)).rejects.toMatchObject({
      code: "guard-other-cluster",
      message: expect.stringContaining("https://cluster.test"),
    });
  });

  test("is accepted when the object is the stack's", async () => {
    await expect(check(green(1, 1), { ...toGreen, uid: "1" } as typeof toGreen)).resolves.toBeUndefined();
  });
});

test("without a main Ingress in the cluster every slot that gets traffic must be ready", async () => {
  const check = refuseUnreadySwitch(cluster(green(1, 0)), toGreen, { clock: fastClock() });
  await expect(check).rejects.toMatchObject({ code: "slot-not-ready" });
});

test("what somebody has led elsewhere bars no write that leads clients back to a slot that is ready", async () => {
  const canary = "/apis/networking.k8s.io/v1/namespaces/ml/ingresses/fraud-canary";
  const elsewhere = {
    metadata: { name: "fraud-canary" },
    spec: { rules: [{ http: { paths: [{ backend: { service: { name: "maintenance" } } }] } }] },
  };
  const check = (ready: number) =>
    refuseUnreadySwitch(
      cluster({ ...ingresses(settledOn("blue")), [canary]: elsewhere, ...green(1, ready) }),
      toGreen,
      { clock: fastClock() },
    );
  await expect(check(1)).resolves.toBeUndefined();
  await expect(check(0)).rejects.toMatchObject({ code: "slot-not-ready" });
});

test("a write that leads to no slot is refused, since nothing can be said about it", async () => {
  const nowhere = { ...model, written: { metadata: { name: "fraud" } } };
  await expect(
    refuseUnreadySwitch(cluster(ingresses(settledOn("blue"))), nowhere, { clock: fastClock() }),
  ).rejects.toMatchObject({ code: "routing-unreadable" });
});

describe("emptying a slot", () => {
  test("is refused while it carries traffic", async () => {
    const api = cluster(ingresses({ main: "blue", candidate: "green", weight: 10 }));
    await expect(refuseEmptyingSlot(api, model, "green")).rejects.toMatchObject({
      code: "live-slot-emptied",
      message: 'Refused to scale fraud-green to 0 replicas: green carries 10 % of the traffic of "fraud".',
    });
  });

  test("passes when it carries none", async () => {
    await expect(
      refuseEmptyingSlot(cluster(ingresses(settledOn("blue"))), model, "green"),
    ).resolves.toBeUndefined();
  });
});

describe("a Service's selector", () => {
  test("never changes", () => {
    expect(() => refuseChangedSelector("fraud-blue", { app: "a" }, { app: "b" })).toThrow(
      /from {"app":"a"} to {"app":"b"}/,
    );
  });

  test("may be written in another order", () => {
    expect(() => refuseChangedSelector("fraud-blue", { a: "1", b: "2" }, { b: "2", a: "1" })).not.toThrow();
  });
});

function blueReady(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(green(1, 1)).map(([path, object]) => [
      path.replaceAll("green", "blue"),
      JSON.parse(JSON.stringify(object).replaceAll("green", "blue")),
    ]),
  );
}
