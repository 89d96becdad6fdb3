import { afterAll, beforeAll, expect, test } from "vitest";
import { programUnderTest, resultOf, run } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { testImages, until } from "./test-cluster.ts";

let project: ModelProject;

interface EventLine {
  readonly type: string;
  readonly id?: string;
  readonly state?: string;
  readonly message?: string;
  readonly remainingMs?: number;
}

const leasePath = () =>
  `/apis/coordination.k8s.io/v1/namespaces/${project.namespace.name}/leases/fraud-modelswitch`;

async function configure({ rollbackWindow }: { readonly rollbackWindow: number }): Promise<void> {
  await project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never" },
    rollout: { settle: 0, soak: 0, drain: 0, rollbackWindow },
    deadlines: { ready: 900, proof: 30 },
  });
}

beforeAll(async () => {
  project = await ModelProject.create("locks");
  await configure({ rollbackWindow: 0 });
  await project.result(["up"]);
});

afterAll(async () => {
  await project.remove();
});

/** A command that works until somebody stops it, and what it has said so far. */
function working(args: readonly string[]) {
  const events: EventLine[] = [];
  let rest = "";
  let kill = () => {};
  const ended = project.command([...args, "--json"], {
    onStart: (child) => {
      kill = () => child.kill("SIGKILL");
      child.stdout?.on("data", (text: string) => {
        const lines = `${rest}${text}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.startsWith("{")) events.push(JSON.parse(line) as EventLine);
      });
    },
  });
  const said = (id: string, state: string) => () =>
    Promise.resolve(events.some((event) => event.id === id && event.state === state));
  return { events, ended, said, kill: () => kill() };
}

/** A release whose pods never get ready. */
const unready = ["release", "--set", `image=${testImages.green}`, "--set", "env.FAIL_READY=true"];

/** The same host name, and process numbers of its own: as in another container. */
async function inContainer(args: readonly string[]) {
  const inner = [process.execPath, programUnderTest(), ...args];
  return await run("unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", ...inner], {
    cwd: project.folder,
    env: { ...project.namespace.env(), PULUMI_BACKEND_URL: undefined },
  });
}

test("a living command of another container with the same host name keeps its lock", async () => {
  const release = working(unready);
  await until("the release waits for its pods", release.said("deploy-green", "started"));
  const refused = await inContainer(["unlock", "--json"]);
  expect(refused.exitCode, refused.stdout).toBe(4);
  expect(resultOf(refused.stdout)).toMatchObject({ error: { code: "model-locked" } });
  const second = await inContainer([...unready, "--json"]);
  expect(second.exitCode, second.stdout).toBe(4);

  // Asked to go back while Pulumi runs: it hears, and ends that run.
  const aborted = await project.command(["abort", "--json"]);
  expect(aborted.exitCode, aborted.stdout).toBe(0);
  const { exitCode } = await release.ended;
  expect(exitCode).not.toBe(0);
  expect(release.events.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/@.* asked: abort/),
  );
  expect(await project.result(["status"])).toMatchObject({ split: { blue: 100, green: 0 } });
});

test("a lost lock ends the run of Pulumi", async () => {
  const release = working(unready);
  await until("the release waits for its pods", release.said("deploy-green", "started"));
  expect(await project.result(["unlock", "--force", "--yes"])).toMatchObject({ found: "taken" });
  const { exitCode, stdout } = await release.ended;
  expect(exitCode, stdout).toBe(4);
  expect(resultOf(stdout)).toMatchObject({ error: { code: "lock-lost" } });
  await project.result(["abort"]);
});

test("a command that was killed elsewhere is watched for a whole lease, counted down, and taken over", async () => {
  const release = working(unready);
  await until("the release waits for its pods", release.said("deploy-green", "started"));
  release.kill();
  await release.ended;
  const { api } = project.namespace;
  const lease = await api.json<{ readonly spec: { readonly holderIdentity: string } }>({
    method: "GET",
    path: leasePath(),
  });
  // From another machine with a clock that is an hour ahead.
  const holder = { ...JSON.parse(lease.spec.holderIdentity), boot: "another" };
  const renewTime = new Date(Date.now() + 3_600_000).toISOString().replace("Z", "000Z");
  await api.json({
    method: "PUT",
    path: leasePath(),
    body: { ...lease, spec: { ...lease.spec, holderIdentity: JSON.stringify(holder), renewTime } },
  });
  const abort = working(["abort"]);
  const { exitCode, stdout } = await abort.ended;
  expect(exitCode, stdout).toBe(0);
  const left = abort.events.flatMap(({ id, remainingMs }) => (id === "lock" ? (remainingMs ?? []) : []));
  expect(left.length).toBeGreaterThan(5);
  expect(left).toEqual(left.toSorted((a, b) => b - a));
  expect(await project.result(["status"])).toMatchObject({ split: { blue: 100, green: 0 } });
});

test("a switch that waits for its slot makes way for a rollback", async () => {
  const { api, name } = project.namespace;
  const inNamespace = `/api/v1/namespaces/${name}`;
  await configure({ rollbackWindow: 600 });
  await project.result(["release", "--set", `image=${testImages.green}`]);
  // Another pod of blue is wanted, and others use up what the namespace has.
  const pods = await api.json<{ items: unknown[] }>({ method: "GET", path: `${inNamespace}/pods` });
  const spec = { hard: { pods: String(pods.items.length) } };
  const body = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "full" }, spec };
  await api.json({ method: "POST", path: `${inNamespace}/resourcequotas`, body });
  await api.json({
    method: "PATCH",
    path: `/apis/apps/v1/namespaces/${name}/deployments/fraud-blue/scale`,
    contentType: "application/merge-patch+json",
    body: { spec: { replicas: 2 } },
  });
  const waiting = working(["switch", "blue"]);
  await until("the switch waits for blue", waiting.said("ready-blue", "started"));

  const rollback = await project.command(["rollback", "--json"]);
  expect(rollback.exitCode, rollback.stdout).toBe(0);
  const { exitCode, stdout } = await waiting.ended;
  expect(exitCode, stdout).toBe(4);
  expect(resultOf(stdout)).toMatchObject({ error: { code: "made-way" } });
  expect(await project.result(["status"])).toMatchObject({ split: { blue: 100, green: 0 } });
});

test("once `destroy` deletes, a rollback is refused at once, and says so", async () => {
  const destroying = working(["destroy", "--yes"]);
  await until("it deletes", async () => destroying.events.some(({ type }) => type === "resource"));
  const { exitCode, stdout } = await project.command(["rollback", "--json"]);
  expect(exitCode, stdout).toBe(4);
  expect(resultOf(stdout)).toMatchObject({ error: { code: "way-back-closed" } });
  const { exitCode: ended, stdout: told } = await destroying.ended;
  expect(ended, told).toBe(0);
});
