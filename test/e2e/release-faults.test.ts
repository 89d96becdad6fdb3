import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LoadRun } from "../../demo/load.ts";
import { type ProcessResult, resultOf, run } from "./cli-process.ts";
import { hang, restart } from "./cluster-faults.ts";
import type { ModelProject } from "./model-project.ts";
import { childrenOf } from "./process-watch.ts";
import { imageOf, releasedProject } from "./release-project.ts";
import { RolloutDriver } from "./rollout-driver.ts";
import { inTime, isSoak } from "./soak.ts";
import { until, versionAt } from "./test-cluster.ts";

const ratePerSecond = 30;
const streamSeconds = 3;
/** Longer than the deadline of a request (30 s), shorter than what makes Kubernetes give its node up, and take the endpoints of its pods away (50 s). */
const hangMs = 35_000;

let project: ModelProject;
let driver: RolloutDriver;
let load: LoadRun;
let stop: AbortController;

beforeEach(async () => {
  project = await releasedProject("fault", { streamSeconds, steps: "25%:3s, 50%" });
  driver = new RolloutDriver(project);
  stop = new AbortController();
  load = project.startMixedLoad({ ratePerSecond, streamSeconds, streamEvery: 30, signal: stop.signal });
});

afterEach(async () => {
  stop.abort();
  await project.remove();
});

const releaseNext = () => ["release", "--set", `image=${imageOf(driver.version === "1" ? "2" : "1")}`];

/** Runs a command; once it says that it is at a point, the fault happens. Resolves when both are over. */
async function faultAt(
  point: string,
  args: readonly string[],
  fault: (pid: number) => unknown,
): Promise<ProcessResult> {
  const [state, id] = point.split(":");
  let happened: Promise<unknown> | undefined;
  let said = "";
  const result = await project.command([...args, "--json"], {
    onStart: (child) => {
      child.stdout?.on("data", (text: string) => {
        said += text;
        const isThere = said
          .split("\n")
          .some((line) => line.includes(`"id":"${id}"`) && line.includes(`"state":"${state}"`));
        if (isThere) happened ??= Promise.resolve(fault(child.pid ?? 0));
      });
    },
  });
  expect(happened, `${point} was not come to:\n${result.stdout}`).toBeDefined();
  await happened;
  return result;
}

/** Whatever the command made of the fault: the next one goes on from there to the end. */
async function converge(): Promise<void> {
  if ((await driver.check("after the fault")).rollout !== null) await project.result(["reconcile"]);
  await driver.noteEnd();
}

async function expectNoFailure(): Promise<void> {
  const report = await load.stop();
  expect(report.failed, project.explain(report)).toBe(0);
}

/** Requests may fail that were in flight at the fault or sent before all was well again; none that was sent after it. */
async function expectNoFailureOutside(from: number, to: number): Promise<void> {
  const report = await load.stop();
  const others = report.failures.filter(
    ({ sentAtMs, failedAtMs }) => report.startedAt + failedAtMs < from || report.startedAt + sentAtMs > to,
  );
  expect(others, project.explain(report)).toEqual([]);
}

describe("a release whose command is stopped", () => {
  test("SIGINT, then SIGTERM: it ends with 130 and says where traffic is; `resume` goes on", async () => {
    const first = await faultAt("done:prove-shift", releaseNext(), (pid) => process.kill(pid, "SIGINT"));
    expect(first.exitCode, first.stdout).toBe(130);
    expect(first.stdout).toContain("75 % blue, 25 % green");
    expect(await project.result(["status"])).toMatchObject({ split: { blue: 75, green: 25 } });
    const second = await faultAt("done:prove-shift", ["resume"], (pid) => process.kill(pid, "SIGTERM"));
    expect(second.exitCode, second.stdout).toBe(130);
    expect(second.stdout).toContain("50 % blue, 50 % green");
    expect(await project.result(["resume"])).toMatchObject({ outcome: "released" });
    await driver.noteEnd();
    await expectNoFailure();
  });

  test.each(inTime(1, ["scale-down-blue", "deploy-green"]))(
    "the Pulumi process killed under it at %s",
    async (id) => {
      await faultAt(`started:${id}`, releaseNext(), async (pid) => {
        await until("Pulumi runs", async () => childrenOf(pid).some(isPulumi));
        for (const child of childrenOf(pid).filter(isPulumi)) process.kill(child.pid, "SIGKILL");
      });
      await converge();
      await expectNoFailure();
    },
  );

  test.runIf(isSoak)(
    "a second one from another folder is told who is at work, with exit code 4",
    async () => {
      const other = await mkdtemp(join(tmpdir(), "modelswitch-other-"));
      try {
        await cp(project.folder, other, { recursive: true });
        let second: ProcessResult | undefined;
        await faultAt("done:prove-shift", releaseNext(), async () => {
          second = await project.command(["release", "--json", "--set", "env.OTHER=1"], { cwd: other });
        });
        expect(second?.exitCode, second?.stdout).toBe(4);
        expect(resultOf(second?.stdout ?? "")).toMatchObject({
          error: { code: expect.stringMatching(/model-locked|rollout-in-progress/) },
        });
        await driver.noteEnd();
        expect(driver.ended).toEqual([{ kind: "release", outcome: "released" }]);
        await expectNoFailure();
      } finally {
        await rm(other, { recursive: true, force: true });
      }
    },
  );

  test.runIf(isSoak)(
    "two at the same time from two folders: one works, the other gets exit code 4",
    async () => {
      const other = await mkdtemp(join(tmpdir(), "modelswitch-other-"));
      try {
        await cp(project.folder, other, { recursive: true });
        const both = await Promise.all([
          project.command([...releaseNext(), "--json"]),
          project.command([...releaseNext(), "--json"], { cwd: other }),
        ]);
        const codes = both.map(({ exitCode }) => exitCode).sort();
        expect(codes, both.map(({ stdout }) => stdout).join("\n")).toEqual([0, 4]);
        await driver.noteEnd();
        await expectNoFailure();
      } finally {
        await rm(other, { recursive: true, force: true });
      }
    },
  );

  test.runIf(isSoak)("a full disk for the state: it says so, and goes on once there is room", async () => {
    const folder = join(project.namespace.folder, "machine");
    const saved = join(project.folder, "saved");
    await cp(folder, saved, { recursive: true });
    await rm(folder, { recursive: true });
    await run("mkdir", [folder]);
    expect((await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder])).exitCode).toBe(0);
    try {
      await cp(saved, folder, { recursive: true });
      const { exitCode, stdout } = await faultAt("started:write-shift", releaseNext(), async () => {
        // Whatever is left of the room.
        await run("dd", ["if=/dev/zero", `of=${join(folder, "full")}`, "bs=4k"]);
      });
      expect(exitCode, stdout).toBe(1);
      expect(stdout).toMatch(/no space left on device|ENOSPC/);
      await driver.check("with a full disk");
      await rm(join(folder, "full"));
      await converge();
      await expectNoFailure();
    } finally {
      expect((await run("umount", [folder])).exitCode).toBe(0);
    }
  });
});

const isPulumi = ({ commandLine }: { commandLine: string }) => /\/pulumi (up|refresh) /.test(commandLine);

describe("a release while the cluster is disturbed", () => {
  test.each([
    ["started:write-shift", "kube-apiserver", 20_000],
    ...(isSoak
      ? ([
          ["started:deploy-green", "kube-apiserver", 20_000],
          ["done:prove-shift", "kube-apiserver", 20_000],
          ["started:write-commit", "etcd", 5_000],
          ["started:deploy-green", "kubelet", 5_000],
        ] as const)
      : []),
  ] as const)("at %s %s is killed, and comes back after %i ms", async (point, component, deadForMs) => {
    await faultAt(point, releaseNext(), () => restart(component, deadForMs));
    // It waits; but where a write came before the fault, and the ingress hears of it too late to be proved, it goes back.
    await converge();
    await expectNoFailure();
  });

  test.runIf(isSoak).each(["done:prove-shift", "started:write-commit"])(
    "at %s the API server hangs for 35 s: the command says that it waits and when it goes on, and others keep away",
    async (point) => {
      const other = await mkdtemp(join(tmpdir(), "modelswitch-other-"));
      try {
        await cp(project.folder, other, { recursive: true });
        let meanwhile: readonly ProcessResult[] = [];
        const { stdout, exitCode } = await faultAt(point, releaseNext(), async () => {
          const hanging = hang("kube-apiserver", hangMs);
          meanwhile = await Promise.all([
            project.command(["release", "--json", "--set", "env.OTHER=1"], { cwd: other }),
            project.command(["release", "--json", "--set", "env.OTHER=1"]),
            project.command(["status"]),
          ]);
          await hanging;
        });
        const said = stdout.split("\n").filter((line) => line.includes('"code":"cluster-'));
        expect(exitCode, stdout).toBe(0);
        const awayMs = said.flatMap((line) =>
          Number(/"cluster-back".*"durationMs":(\d+)/.exec(line)?.[1] ?? []),
        );
        expect(Math.max(...awayMs), said.join("\n")).toBeGreaterThan(hangMs - 10_000);
        // Whoever comes meanwhile never becomes a second writer.
        const [elsewhere, here, status] = meanwhile;
        for (const one of [elsewhere, here]) {
          const { error } = resultOf(one?.stdout ?? "") as { error?: { code: string; hint: string } };
          const expected =
            one?.exitCode === 4 ? /^(model-locked|rollout-in-progress)$/ : /^cluster-unreachable$/;
          expect([1, 4], one?.stdout).toContain(one?.exitCode);
          expect(error?.code, one?.stdout).toMatch(expected);
        }
        expect(status?.stderr, status?.stdout).toContain("has not answered for 5 s");
        await converge();
        expect(driver.ended).toEqual([{ kind: "release", outcome: "released" }]);
        await expectNoFailure();
      } finally {
        await rm(other, { recursive: true, force: true });
      }
    },
  );

  test("etcd, the kubelet and the only ingress controller are killed in turn, and started again", async () => {
    let [from, to] = [0, 0];
    await faultAt("done:prove-shift", releaseNext(), async () => {
      await restart("etcd");
      await restart("kubelet");
      from = Date.now();
      await restart("traefik");
      // It listens before it has read the routing, and says 404 until then.
      await until("the ingress serves", async () => ["1", "2"].includes(await versionAt(project.host)));
      to = Date.now();
    });
    await converge();
    await expectNoFailureOutside(from, to);
  });

  test("a pod of the new release dies in the middle of the shift", async () => {
    let [from, to] = [0, 0];
    await faultAt("done:prove-shift", releaseNext(), async () => {
      const path = `/api/v1/namespaces/${project.namespace.name}/pods`;
      const { items } = await project.namespace.api.json<{
        items: { metadata: { name: string; labels: Record<string, string> } }[];
      }>({ method: "GET", path });
      const victim = items.find(({ metadata }) => metadata.labels.version === "green")?.metadata.name;
      from = Date.now();
      // It dies before it has answered.
      await project.namespace.api
        .request({ method: "POST", path: `${path}/${victim}:8080/proxy/exit` })
        .catch(() => undefined);
      await project.namespace.untilReady("fraud-green", 2);
      to = Date.now() + 1_000;
    });
    await converge();
    // Whether a release whose pod crashed goes on or goes back depends on the moment; clients must not notice either.
    expect(driver.ended).toHaveLength(1);
    await expectNoFailureOutside(from, to);
  });
});
