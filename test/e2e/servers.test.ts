import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoadRun, startLoad } from "../../demo/load.ts";
import { readIdentity } from "../../src/core/identity.ts";
import { type Slot, slots } from "../../src/core/slots.ts";
import { outcomeOf, questionsFor } from "../../src/rollout/proof/identity-question.ts";
import { probe } from "../../src/rollout/proof/probe.ts";
import { run } from "./cli-process.ts";
import { buildAndLoadImage } from "./load-image.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { raySubject, type Subject, subjects, versions } from "./server-subjects.ts";
import { isSoak } from "./soak.ts";
import { until } from "./test-cluster.ts";

/** Ray Serve takes minutes: only `npm run test:soak` has the time. */
const all: readonly (readonly [string, Subject])[] = [
  ...Object.entries(subjects),
  ...(isSoak ? [["ray-serve", raySubject] as const] : []),
];

beforeAll(async () => {
  const tags = new Set<string>();
  for (const [, subject] of all) {
    for (const slot of slots) {
      const tag = subject.image.tag(slot);
      if (tags.has(tag)) continue;
      tags.add(tag);
      await buildAndLoadImage(subject.image.folder, tag, { MODEL_VERSION: versions[slot] });
    }
  }
}, 1_800_000);

function configuration(subject: Subject, project: ModelProject): string {
  const slot = (name: Slot) => ({
    image: subject.image.tag(name),
    replicas: 1,
    imagePullPolicy: "Never",
    resources: { requests: { cpu: "50m", memory: subject.memory } },
    ...(subject.args === undefined ? {} : { args: subject.args(name) }),
  });
  const config = {
    name: "digits",
    namespace: project.namespace.name,
    slots: { blue: slot("blue"), green: slot("green") },
    ingress: { host: project.host },
    deadlines: { ready: 600, proof: 60 },
  };
  const preset = subject.text.split("(")[0] ?? "";
  return `import { defineConfig, ${preset} } from "modelswitch";
export default defineConfig({ server: ${subject.text}, ...${JSON.stringify(config, null, 2)} });
`;
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly podIP?: string };
}

/** The only pod of a slot. */
async function podOf(project: ModelProject, slot: Slot): Promise<{ name: string; address: string }> {
  const { items } = await project.namespace.api.json<{ items: readonly PodObject[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${project.namespace.name}/pods`,
    query: { labelSelector: `app=digits,version=${slot}` },
  });
  const pod = items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod?.status.podIP === undefined) throw new Error(`${slot} has no pod with an address.`);
  return { name: pod.metadata.name, address: pod.status.podIP };
}

/** Sum of a gauge over all its labels; `undefined`: the metrics have no such gauge. */
function sumOf(metrics: string, gauge: string): number | undefined {
  if (!metrics.includes(`# TYPE ${gauge} gauge`)) return undefined;
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(`${gauge}{`) || line.startsWith(`${gauge} `))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** A connection that is used once and then left alone. */
class IdleConnection {
  readonly #socket: ReturnType<typeof connect>;
  readonly #path: string;
  #askedAt = 0;
  #answeredAt = 0;
  #closedAt: number | undefined;

  private constructor(address: string, port: number, path: string) {
    this.#path = path;
    this.#socket = connect(port, address);
    this.#socket.on("data", () => {
      this.#answeredAt = performance.now();
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#closedAt = performance.now();
    });
  }

  static async open(address: string, port: number, path: string): Promise<IdleConnection> {
    const connection = new IdleConnection(address, port, path);
    await connection.ask();
    return connection;
  }

  async ask(): Promise<void> {
    const before = this.#answeredAt;
    this.#askedAt = performance.now();
    this.#socket.write(`GET ${this.#path} HTTP/1.1\r\nHost: idle.example.com\r\n\r\n`);
    await until("the connection answers", () => {
      if (this.#closedAt !== undefined) throw new Error("The server closed the connection.");
      return Promise.resolve(this.#answeredAt !== before);
    });
  }

  /** How long it has been idle for certain. */
  idleMs(): number {
    return performance.now() - this.#answeredAt;
  }

  /** How long after the last request it was closed: at least the time that it was idle. */
  closedAfterMs(): number {
    return (this.#closedAt ?? Number.NaN) - this.#askedAt;
  }

  get closed(): boolean {
    return this.#closedAt !== undefined;
  }

  end(): void {
    this.#socket.destroy();
  }
}

describe.each(all)("%s", (_name, subject) => {
  const { server } = subject;
  let project: ModelProject;
  let load: LoadRun | undefined;
  let idle: IdleConnection | undefined;

  const get = async (slot: Slot, path: string, port = server.httpPort) => {
    const { address } = await podOf(project, slot);
    return fetch(`http://${address}:${port}${path}`, { headers: { connection: "close" } });
  };

  beforeAll(async () => {
    project = await ModelProject.create("server");
    await writeFile(project.configFile, configuration(subject, project));
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
  }, 1_200_000);

  afterAll(async () => {
    idle?.end();
    await load?.stop();
    await project.remove();
  });

  test("the paths that the preset probes answer", async () => {
    for (const probe of [server.readiness, server.liveness, server.startup]) {
      if (probe !== undefined) expect((await get("blue", probe.path)).status, probe.path).toBe(200);
    }
    const { address } = await podOf(project, "blue");
    idle = await IdleConnection.open(address, server.httpPort, server.readiness.path);
  });

  test("the identity tells the slots apart", async () => {
    const { identity } = server;
    if (identity === undefined) throw new Error("The preset knows no identity.");
    for (const slot of slots) {
      const answer = await get(slot, identity.path);
      const body = await answer.text();
      expect(readIdentity(identity, { status: answer.status, headers: {}, body })).toBe(versions[slot]);
    }
  });

  test.runIf(server.identity?.grpc !== undefined)("its gRPC port tells the same identity", async () => {
    const { identity, otherPorts } = server;
    const port = otherPorts.grpc;
    if (identity === undefined || port === undefined) throw new Error("The preset names no gRPC port.");
    const [question] = questionsFor({ host: "digits.example.com", protocol: "grpc" }, identity);
    if (question === undefined) throw new Error("There is nothing to ask.");
    for (const slot of slots) {
      const { address } = await podOf(project, slot);
      const answer = await probe({
        ...question,
        endpoint: { protocol: "http", address, port, url: `http://${address}:${port}` },
        headers: {},
        timeoutMs: 10_000,
        signal: AbortSignal.timeout(20_000),
      });
      expect(outcomeOf(question, identity, answer)).toMatchObject({ identity: versions[slot] });
    }
  });

  test("no request fails while traffic is switched there and back", { timeout: 600_000 }, async () => {
    load = startLoad({
      url: process.env.MODELSWITCH_TEST_INGRESS_URL ?? "",
      host: project.host,
      path: subject.predictPath,
      body: subject.body,
      ratePerSecond: 10,
      headers: { "content-type": "application/json" },
      ...(subject.check === undefined ? {} : { check: subject.check }),
      signal: AbortSignal.timeout(600_000),
    });
    for (const target of ["green", "blue"] as const) {
      const before = load.snapshot().versions[versions[target]]?.answers ?? 0;
      expect(await project.result(["switch", target])).toMatchObject({ target, alreadyThere: false });
      const run = load;
      await until(`${target} answers`, () =>
        Promise.resolve((run.snapshot().versions[versions[target]]?.answers ?? 0) > before),
      );
    }
    const report = await load.stop();
    load = undefined;
    expect(report.failed, failuresOf(report)).toBe(0);
    expect(Object.keys(report.versions).sort()).toEqual(["v1", "v2"]);
  });

  test("idle connections stay open as long as the preset says", { timeout: 300_000 }, async () => {
    const connection = idle;
    const seconds = server.keepAliveSeconds;
    if (connection === undefined || seconds === undefined) throw new Error("There is no connection.");
    if (seconds > 60) {
      // Waiting for two minutes would tell little more than that it is not the default of five seconds.
      await until("the connection was idle for longer than by default", () =>
        Promise.resolve(connection.idleMs() > 8_000),
      );
      await connection.ask();
      return;
    }
    const { address } = await podOf(project, "blue");
    const other = await IdleConnection.open(address, server.httpPort, server.readiness.path);
    await until("the server closes the idle connection", () => Promise.resolve(other.closed), 120_000);
    // A busy machine may see it late, never early.
    expect(other.closedAfterMs()).toBeGreaterThan((seconds - 0.5) * 1000);
  });

  /** What the preset's gauges say of a slot's pod. */
  const inProgress = async (slot: Slot) => {
    const { metrics, draining } = server;
    if (metrics === undefined || draining === undefined) throw new Error("The preset knows no gauges.");
    const text = await (await get(slot, metrics.path, metrics.port)).text();
    const sums = draining.gauges.map((gauge) => sumOf(text, gauge));
    if (sums.includes(undefined)) throw new Error(`Not all of ${draining.gauges.join(", ")} in:\n${text}`);
    return sums.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  };

  test("its gauges show that requests have ended", { timeout: 120_000 }, async () => {
    for (const slot of slots) {
      await until(`nothing is in progress in ${slot}`, async () => (await inProgress(slot)) === 0);
    }
  });

  test.runIf(subject.onTerminate !== undefined)(
    `its gauges show a request in progress, which the server ${subject.onTerminate ?? "keeps"} on SIGTERM`,
    { timeout: 180_000 },
    async () => {
      const { name, address } = await podOf(project, "blue");
      const before = await restarts(project, name);
      // What drops it needs a moment to end, too.
      const seconds = subject.onTerminate === "finishes" ? 10 : 60;
      const slow = predict(subject, address, seconds).then(
        ({ status }) => status,
        () => "connection lost" as const,
      );
      await until("the request is seen", async () => (await inProgress("blue")) === 1);
      const kubectl = process.env.MODELSWITCH_TEST_KUBECTL ?? "";
      const { kubeconfigPath, name: namespace } = project.namespace;
      const killed = await run(kubectl, [
        ...["--kubeconfig", kubeconfigPath, "--namespace", namespace],
        ...["exec", name, "--", "sh", "-c", "kill -TERM 1"],
      ]);
      expect(killed.exitCode, killed.stderr).toBe(0);
      expect(await slow).toBe(subject.onTerminate === "finishes" ? 200 : "connection lost");
      await until("the server has ended", async () => (await restarts(project, name)) > before);
    },
  );
});

function predict(subject: Subject, address: string, seconds: number): Promise<Response> {
  return fetch(`http://${address}:${subject.server.httpPort}${subject.predictPath}`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: subject.slowBody?.(seconds) ?? subject.body(0),
  });
}

async function restarts(project: ModelProject, pod: string): Promise<number> {
  const { status } = await project.namespace.api.json<{
    status: { containerStatuses?: readonly { restartCount: number }[] };
  }>({ method: "GET", path: `/api/v1/namespaces/${project.namespace.name}/pods/${pod}` });
  return status.containerStatuses?.[0]?.restartCount ?? 0;
}
