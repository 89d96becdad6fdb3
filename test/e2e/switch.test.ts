import type { ChildProcess } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { failuresOf, ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

const ratePerSecond = 40;

/** `npm run test:soak` does the same five times as often. */
const rounds = isSoak ? 5 : 1;

let project: ModelProject;

afterEach(async () => {
  await project.remove();
});

async function deployed(prefix: string, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  project = await ModelProject.create(prefix);
  await project.configure(settings);
  await project.result(["up"]);
}

const version = { blue: "1", green: "2" } as const;

describe("switch on a real cluster", () => {
  test.each([
    ["nginx", isSoak ? 50 : 4],
    ["plain", isSoak ? 20 : 2],
  ] as const)(
    "with the router %s no request fails in %i switches under load",
    { timeout: rounds * 900_000 },
    async (router, switches) => {
      await deployed(`load-${router}`, { router });
      const stop = new AbortController();
      const load = project.startLoad(ratePerSecond, stop.signal);
      try {
        for (let index = 0; index < switches; index++) {
          const target = index % 2 === 0 ? "green" : "blue";
          const before = load.snapshot();
          const result = await project.result(["switch", target]);
          expect(result).toMatchObject({ target, alreadyThere: false });
          expect(await versionAt(project.host)).toBe(version[target]);
          // The load went on through this very switch.
          expect(load.snapshot().succeeded).toBeGreaterThan(before.succeeded);
        }
        const report = await load.stop();
        expect(report.failed, failuresOf(report)).toBe(0);
        // Both versions answered: the switches were real.
        expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
        // Two-second requests were under way all the time.
        expect(report.latency.p99).toBeGreaterThan(1900);
      } finally {
        stop.abort();
      }
    },
  );

  test("a switch to where traffic is already is proved and changes nothing", async () => {
    await deployed("already");
    expect(await project.result(["switch", "blue"])).toMatchObject({ alreadyThere: true, steps: [] });
  });

  test("a slot that is not ready gets no traffic", async () => {
    await deployed("unready");
    await project.configure({
      slots: {
        blue: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
        // The server says that it is ready after ten minutes.
        green: {
          image: testImages.green,
          replicas: 1,
          imagePullPolicy: "Never",
          env: { READY_DELAY_MS: "600000" },
        },
      },
      deadlines: { ready: 5, proof: 30 },
    });
    const upgrade = project.command(["up", "--json"]);
    await until("a pod of green is not ready", async () => {
      const status = (await project.result(["status"])) as { slots: { green: { ready: boolean } } };
      return !status.slots.green.ready;
    });
    const { stdout: told } = await upgrade;
    expect(told).toMatch(
      /green did not become ready within 5 s: .*0 of 1 replicas ready\.\\npod fraud-green-\S+: Container model /,
    );
    const { exitCode, stdout } = await project.command(["switch", "green", "--json"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("slot-not-ready");
    expect(await versionAt(project.host)).toBe("1");
  });

  test("a missing image ends `up` long before its deadline, with the reason", async () => {
    project = await ModelProject.create("image");
    await project.configure({
      // Longer than the test may take: only the reason itself can end the command.
      deadlines: { ready: 3600, proof: 30 },
      slots: {
        blue: { image: "localhost/no-such-image:1", imagePullPolicy: "Never" },
        green: { image: testImages.green, imagePullPolicy: "Never" },
      },
    });
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("localhost/no-such-image:1 is not on the node, and imagePullPolicy is Never");
    // Mended, it goes on from there.
    await project.configure();
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
  });

  test(
    "killed at each boundary between steps, the next command converges and no request fails",
    async () => {
      await deployed("kill");
      const stop = new AbortController();
      const load = project.startLoad(ratePerSecond, stop.signal);
      try {
        const markers = ["write-shift", "prove-shift", "write-commit", "write-re-arm"];
        for (const [index, marker] of Array.from({ length: rounds }, () => markers)
          .flat()
          .entries()) {
          const target = index % 2 === 0 ? "green" : "blue";
          await killAt(marker, (child) => child.kill("SIGKILL"), ["switch", target]);
          const status = await project.result(["status"]);
          expect(status.live).toMatch(/blue|green/);
          // By the same command, or from any machine by `resume`.
          if (index % 4 === 1) await project.result(["resume"]);
          else await project.result(["switch", target]);
          expect(await versionAt(project.host)).toBe(version[target]);
          expect(await project.result(["status"])).toMatchObject({ live: target, pending: null });
        }
        const report = await load.stop();
        expect(report.failed, failuresOf(report)).toBe(0);
      } finally {
        stop.abort();
      }
    },
    rounds * 600_000,
  );

  test("Ctrl-C during a switch leaves traffic on a slot that was proved, and says which", async () => {
    await deployed("stop");
    const waiting = await killAt("write-shift", (child) => child.kill("SIGINT"), ["switch", "green"]);
    expect(waiting.exitCode).toBe(130);
    expect(waiting.stdout).toContain("Traffic is on green");
    expect(await versionAt(project.host)).toBe("2");
    expect(await project.result(["switch", "green"])).toMatchObject({ from: "green", target: "green" });
    expect(await project.result(["status"])).toMatchObject({ live: "green", pending: null });
  });

  test("two switches at once: the later one takes the first back, has its turn after it, or is told who works", async () => {
    await deployed("two");
    let second: ReturnType<ModelProject["command"]> | undefined;
    const first = await killAt("write-shift", () => {
      second = project.command(["switch", "blue", "--json"]);
    }, ["switch", "green"]);
    // 5: traffic had moved and was proved, and Pulumi, which would have followed, made way.
    expect([0, 4, 5], first.stdout).toContain(first.exitCode);
    const then = await second;
    if (first.exitCode === 5) expect(then?.exitCode, then?.stdout).toBe(0);
    if (then?.exitCode === 0) {
      expect(await project.result(["status"])).toMatchObject({ live: "blue", pending: null });
    } else {
      // Traffic had moved, and the first one was about to end.
      expect(then?.exitCode).toBe(4);
      expect(then?.stdout).toContain("model-locked");
      expect(await project.result(["status"])).toMatchObject({ live: "green", pending: null });
    }
  });
});

/** Runs a command and calls `act` once the step named has started. */
async function killAt(marker: string, act: (child: ChildProcess) => void, args: readonly string[]) {
  let acted = false;
  return await project.command([...args, "--json"], {
    onStart: (child) => {
      child.stdout?.on("data", (text: string) => {
        if (acted || !text.includes(`"id":"${marker}"`)) return;
        acted = true;
        act(child);
      });
    },
  });
}
