import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, FakeCluster, testNamespace } from "../../../test/support/rollout-bench.ts";
import { KubernetesApiError, type LineStream } from "../../kubernetes/api.ts";
import { type LogLine, type LogOptions, readLogs } from "./logs.ts";

const selector = { app: "fraud", version: "green" };
let cluster: FakeCluster;
let clock: FakeClock;
let stop: AbortController;
let lines: LogLine[];
let asked: { readonly path: string; readonly query: Readonly<Record<string, unknown>> }[];
/** What a pod's log says; an error for those that have none. */
let logOf: (pod: string) => readonly string[] | Error;

beforeEach(() => {
  cluster = new FakeCluster();
  clock = new FakeClock();
  stop = new AbortController();
  lines = [];
  asked = [];
  logOf = (pod) => [`hello from ${pod}`];
});

const streams: LineStream = {
  async *lines(path, { query = {} }) {
    asked.push({
      path,
      query: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)),
    });
    const pod = path.split("/").at(-2) ?? "";
    const found = logOf(pod);
    if (found instanceof Error) throw found;
    yield* found;
  },
};

function putPod(
  name: string,
  about: {
    readonly restarts?: number;
    readonly waiting?: string;
    readonly containers?: readonly string[];
    readonly version?: string;
  } = {},
) {
  const containers = about.containers ?? ["proxy", "model"];
  cluster.put(`/api/v1/namespaces/${testNamespace}/pods/${name}`, {
    metadata: { name, labels: { ...selector, version: about.version ?? "green" } },
    spec: { containers: containers.map((container) => ({ name: container })) },
    status: {
      containerStatuses: containers.map((container) => ({
        name: container,
        restartCount: about.restarts ?? 0,
        state: about.waiting === undefined ? { running: {} } : { waiting: { reason: about.waiting } },
      })),
    },
  });
}

const read = (options: Partial<LogOptions> = {}) =>
  readLogs(
    { api: cluster, namespace: testNamespace, clock, signal: stop.signal },
    streams,
    "green",
    {
      selector,
      container: undefined,
      follow: false,
      previous: false,
      sinceSeconds: undefined,
      tailLines: undefined,
      timestamps: false,
      ...options,
    },
    (line) => lines.push(line),
  );

describe("logs", () => {
  test("of all pods of the slot, of the model server's container", async () => {
    putPod("green-b");
    putPod("green-a");
    putPod("blue-a", { version: "blue" });
    expect(await read({ tailLines: 20, sinceSeconds: 60, timestamps: true })).toEqual([]);
    expect(lines).toEqual([
      { pod: "green-a", container: "model", line: "hello from green-a" },
      { pod: "green-b", container: "model", line: "hello from green-b" },
    ]);
    expect(asked[0]).toEqual({
      path: `/api/v1/namespaces/${testNamespace}/pods/green-a/log`,
      query: { container: "model", tailLines: 20, sinceSeconds: 60, timestamps: true },
    });
  });

  test("of the container that is named, or of the first where none is the model server's", async () => {
    putPod("green-a", { containers: ["proxy", "serve"] });
    await read();
    await read({ container: "serve" });
    expect(lines.map(({ container }) => container)).toEqual(["proxy", "serve"]);
    await expect(read({ container: "none" })).rejects.toMatchObject({
      code: "container-unknown",
      exitCode: 2,
      hint: "It has proxy, serve.",
    });
  });

  test("says which pods have none", async () => {
    putPod("green-a", { waiting: "ImagePullBackOff" });
    putPod("green-b");
    putPod("green-c");
    logOf = (pod) => (pod === "green-b" ? new KubernetesApiError(404, "NotFound", "pod not found") : ["yes"]);
    expect(await read()).toEqual([
      { pod: "green-a", why: "model has not started (ImagePullBackOff)" },
      { pod: "green-b", why: "pod not found" },
    ]);
    expect(lines).toMatchObject([{ pod: "green-c" }]);
  });

  test("of the container before, where there was one", async () => {
    putPod("green-a", { restarts: 2, waiting: "CrashLoopBackOff" });
    putPod("green-b");
    cluster.put(`/api/v1/namespaces/${testNamespace}/pods/green-a`, {
      metadata: { name: "green-a", labels: selector },
      spec: { containers: [{ name: "model" }] },
      status: {
        containerStatuses: [{ name: "model", restartCount: 2, lastState: { terminated: { exitCode: 1 } } }],
      },
    });
    expect(await read({ previous: true })).toMatchObject([{ pod: "green-b" }]);
    expect(asked).toMatchObject([{ query: { container: "model", previous: true } }]);
  });

  test("an account that may not read them is told", async () => {
    putPod("green-a");
    logOf = () => new KubernetesApiError(403, "Forbidden", "may not get pods/log");
    await expect(read()).rejects.toMatchObject({ status: 403 });
  });

  test("followed, they go on with pods that come later and containers that start again", async () => {
    putPod("green-a");
    const sleep = clock.sleep.bind(clock);
    let looks = 0;
    clock.sleep = async (ms, signal) => {
      looks++;
      if (looks === 1) putPod("green-b");
      if (looks === 2) putPod("green-a", { restarts: 1 });
      if (looks === 4) stop.abort();
      await sleep(ms, signal);
    };
    await read({ follow: true, tailLines: 10 });
    expect(asked.map(({ path, query }) => [path.split("/").at(-2), query.tailLines, query.follow])).toEqual([
      ["green-a", 10, true],
      ["green-b", undefined, true],
      ["green-a", undefined, true],
    ]);
    expect(lines).toHaveLength(3);
  });
});
